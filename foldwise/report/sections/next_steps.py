"""What to try next."""

import re

from foldwise.report.blocks import Bullets, Code, Line, Section
from foldwise.report.findings import ReportInputs


def next_steps(findings: ReportInputs) -> Section | None:
    """Return the advice of the verdict, a bullet each; None: there is none."""
    if not findings.verdict.next:
        return None
    return Section("Next", [Bullets([_line(advice) for advice in findings.verdict.next])])


def _line(advice: str) -> Line:
    """Return advice with what stands between backticks as code."""
    parts = re.split(r"`([^`]+)`", advice)
    return tuple(Code(part) if at % 2 else part for at, part in enumerate(parts) if part)
