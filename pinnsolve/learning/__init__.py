"""Learning from tables, fields and solved problems."""
