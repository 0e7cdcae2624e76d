"""General supervised and transfer learning: checked data, audited errors, explained and documented models."""
