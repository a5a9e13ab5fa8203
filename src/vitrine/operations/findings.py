"""Findings: what `doctor` and the security report say about an instance."""

from collections.abc import Iterable
from dataclasses import dataclass

OK, WARNING, FAULT = "ok", "warning", "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check: its name, its state (ok, warning or fault) and a sentence that says what to do."""

    check: str
    state: str
    text: str


def faults(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.state == FAULT]
