"""One self-contained HTML file about a run: no script, no network, fit for print and phone, Chinese or English."""

from evals.report.model import ReportInput
from evals.report.page import render_report

__all__ = ["ReportInput", "render_report"]
