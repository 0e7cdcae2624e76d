"""Inverse problems: what the data allow at best, the classical way beside the network, and the table of both."""
