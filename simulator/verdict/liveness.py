"""Expected against seen, where it is about signs of life and about how much reaches a person.

Knows times and numbers. Does not know levels, alternatives or the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.scenario.liveness_steps import NONE
from simulator.scenario.match import Mismatch

Seen = Mapping[str, Any]

#: What of a pause is the network's and the clock's doing.
TOLERANCE = 0.9


def count(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """No more than so many."""
    most, found = int(argument["presences"]), int(seen["presences"])

    return None if found <= most else Mismatch("/presences", f"at most {most}", str(found))


def white_space(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """It has come, and not too soon; or none has."""
    if argument == NONE:
        return Mismatch("/white-space", "none", "white space") if seen.get("white_space") else None

    if not seen.get("white_space"):
        return Mismatch("/white-space", "white space", "the end of the stream")

    least, found = float((argument or {}).get("after", 0.0)), float(seen["after"])

    if found >= least * TOLERANCE:
        return None

    return Mismatch("/white-space/after", f"at least {least:g} s", f"{found:.3f} s")


JUDGES = {"count": count, "white-space": white_space}
