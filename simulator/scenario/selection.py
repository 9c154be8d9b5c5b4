"""Which scenarios are meant by a selector: an id, a folder, a glob, or ``covers:DBK-032``.

Knows ids only.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Sequence

from simulator.scenario.model import Scenario

COVERS = "covers:"


class NothingSelected(ValueError):  # noqa: N818 - it says what happened
    """A selector fits no scenario: names it and the nearest ids."""


def select(scenarios: Sequence[Scenario], selectors: Iterable[str]) -> list[Scenario]:
    """Return the scenarios that any selector means, in their own order; without selectors all of them.

    A selector is an id (of a file: all its rows), a folder, a glob over ids, or ``covers:`` and a glob over the ids of
    requirements. A leading ``scenarios/`` and a trailing ``.yaml`` are ignored, so that a path can be completed by the
    shell. Raises NothingSelected for a selector that fits nothing: a typing error must not look like a green run.
    """
    chosen: set[str] = set()
    given = list(selectors)

    for selector in given:
        # An empty one is a shell variable that was not set, and everything is not what was meant.
        fitting = {scenario.id for scenario in scenarios if selector and _fits(scenario, selector)}

        if not fitting:
            raise NothingSelected(_complaint(scenarios, selector))

        chosen |= fitting

    return [scenario for scenario in scenarios if not given or scenario.id in chosen]


def _fits(scenario: Scenario, selector: str) -> bool:
    if selector.startswith(COVERS):
        return any(glob(wanted, selector.removeprefix(COVERS)) for wanted in scenario.covers)

    name = _plain(selector)
    file = scenario.id.partition("[")[0]

    return name in ("", scenario.id, file) or file.startswith(f"{name}/") or glob(scenario.id, name) or glob(file, name)


def _plain(selector: str) -> str:
    path = selector.removeprefix("./")
    path = "" if path.rstrip("/") == "scenarios" else path.removeprefix("scenarios/")

    return path.removesuffix(".yaml").rstrip("/")


def glob(text: str, pattern: str) -> bool:
    """Whether an id fits a pattern with ``*`` and ``?``; brackets are part of a row's name and stand for themselves."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _complaint(scenarios: Sequence[Scenario], selector: str) -> str:
    if selector.startswith(COVERS):
        known = sorted({wanted for scenario in scenarios for wanted in scenario.covers})
        near = difflib.get_close_matches(selector.removeprefix(COVERS), known, n=3, cutoff=0.6)
    else:
        near = difflib.get_close_matches(_plain(selector), [scenario.id for scenario in scenarios], n=3, cutoff=0.4)

    return f"no scenario is meant by {selector!r}" + (f"; did you mean {', '.join(near)}?" if near else "")
