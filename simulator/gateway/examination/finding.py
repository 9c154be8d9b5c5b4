"""One line of an examination.

Knows levels. Does not know what is examined.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found about a subject; `advice` says what to do, and is empty where nothing is."""

    level: Level
    subject: str
    text: str
    advice: str = ""


def ok(subject: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(level=Level.OK, subject=subject, text=text)


def warn(subject: str, text: str, advice: str) -> Finding:
    """It may be meant so."""
    return Finding(level=Level.WARN, subject=subject, text=text, advice=advice)


def fail(subject: str, text: str, advice: str) -> Finding:
    """Federation cannot work like this."""
    return Finding(level=Level.FAIL, subject=subject, text=text, advice=advice)
