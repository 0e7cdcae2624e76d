"""Benchmarks against DeepXDE and against classical methods."""
