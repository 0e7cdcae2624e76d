"""Shipped problems: factories that return a Problem; no training code."""
