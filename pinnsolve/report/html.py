"""stub"""
from pinnsolve.report.result import Result


def report_page(result: Result) -> str:
    return "<html></html>"
