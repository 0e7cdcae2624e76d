"""The regression suite behind ``pinnsolve validate``: runs, statistics, baseline, reports."""
