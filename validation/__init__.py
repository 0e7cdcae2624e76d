"""Reference data and the validation suite."""
