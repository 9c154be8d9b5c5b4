"""The table that the bench prints: what was measured, against what, and whether the target is met.

Knows columns. Does not know what the figures mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One line; `met` is None where there is no target, or nothing to hold against it."""

    what: str
    gateway: str
    beside: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median, and behind it the smallest and the largest."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def against(what: str, ours: Sequence[float], theirs: Sequence[float], target: float) -> Row:
    """A rate beside another of the same run; the ratio is the median of those of the rounds."""
    if not theirs:
        return Row(what, spread(ours), "not installed", "", f">= {target:g} of it")

    ratio = median([mine / other for mine, other in zip(ours, theirs, strict=True)])

    return Row(what, spread(ours), spread(theirs), f"{ratio:.2f}", f">= {target:g} of it", ratio >= target)


def show(rows: Sequence[Row]) -> str:
    """All rows as text."""
    head = ("", "gateway, simulator", "Prosody", "ratio", "target", "")
    lines = [head, *((row.what, row.gateway, row.beside, row.ratio, row.target, _mark(row.met)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _mark(met: bool | None) -> str:
    return "" if met is None else "met" if met else "MISSED"
