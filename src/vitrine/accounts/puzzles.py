"""Puzzles after failed sign-ins and before sign-up, in place of a captcha of somebody else (06 section 16).

A puzzle is a signed text about *subject*: what is tried, and how many failures came before. The browser looks for a
number that gives a hash with enough zeros, which takes a second or two; whoever has no script waits instead. Nothing is
stored: the next failure changes the subject, so a solution serves one attempt.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from vitrine.platform.crypto import Vault, base64url, same, signature

ZERO_BITS = 16  # about 65,000 hashes
WAIT = timedelta(seconds=30)
LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Solution:
    """What a form sent: the puzzle that it was given, and the number; empty if somebody waited."""

    puzzle: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Puzzles:
    vault: Vault

    def make(self, subject: str, now: datetime) -> str:
        begun = f"{int(now.timestamp())}.{token_urlsafe(9)}"
        return f"{begun}.{self._signed(begun, subject)}"

    def _signed(self, begun: str, subject: str) -> str:
        return base64url(signature(self.vault.derive("puzzle"), f"{begun}\n{subject}".encode()))

    def is_solved(self, solution: Solution, subject: str, now: datetime) -> bool:
        """True for a number that solves a puzzle about *subject*, and for a puzzle that is WAIT old."""
        begun, _, signed = solution.puzzle.rpartition(".")
        seconds = begun.partition(".")[0]
        if not (seconds.isascii() and seconds.isdecimal()) or len(solution.puzzle) > 200:
            return False
        if not same(signed, self._signed(begun, subject)):
            return False
        age = now.timestamp() - int(seconds)
        return age <= LIFETIME.total_seconds() and (age >= WAIT.total_seconds() or _has_zeros(solution))


def _has_zeros(solution: Solution) -> bool:
    if not 0 < len(solution.number) <= 20:
        return False
    hashed = hashlib.sha256(f"{solution.puzzle}:{solution.number}".encode()).digest()
    return int.from_bytes(hashed, "big") >> (256 - ZERO_BITS) == 0
