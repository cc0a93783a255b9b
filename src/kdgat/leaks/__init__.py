"""The leak report: what a model could know about test or validation without detecting attacks."""

from kdgat.leaks.report import CHECKS, compare_page, leak_page, leak_report, refusal, remarks
from kdgat.leaks.traces import both_fingerprints

__all__ = [
    "CHECKS",
    "both_fingerprints",
    "compare_page",
    "leak_page",
    "leak_report",
    "refusal",
    "remarks",
]
