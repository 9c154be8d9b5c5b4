"""Journals written by hand, entry by entry, for the tests of the verdict."""

from __future__ import annotations

from typing import Any

from simulator.document import parse_document
from simulator.journal import Entry
from simulator.scenario.loader import read_scenarios
from simulator.scenario.model import Scenario


def scenario(steps: str, head: str = "") -> Scenario:
    """The scenario with these steps, one on each line; `head` is any further YAML."""
    lines = "\n".join(f"- {line}" if not line.startswith(" ") else line for line in steps.strip("\n").splitlines())

    return read_scenarios(parse_document(f"claim: x\ncovers: [A-1]\n{head}\nsteps:\n{lines}\n"), "file")[0]


def played(
    scenario: Scenario,
    /,
    *steps: list[Entry] | dict[str, Any] | None,
    after: tuple[Entry, ...] = (),
    teardown: bool = True,
    **run: Any,
) -> list[Entry]:
    """The journal in which each step came to what is given: what it saw, or entries before it and its own record."""
    entries = [Entry(at=0, kind="run", actor="runner", data={"scenario": scenario.id, **run})]

    for step, came in zip(scenario.all_steps, steps, strict=False):
        before = came[:-1] if isinstance(came, list) else []
        record = came[-1].data if isinstance(came, list) else came if came and "outcome" in came else {"seen": came}
        entries += before
        entries.append(
            Entry(at=1, kind="step", data={"part": step.part, "index": step.index, "outcome": "done", **record})
        )

    entries += after

    if teardown:
        entries.append(Entry(at=2, kind="step", data={"part": "teardown", "index": 0, "outcome": "done"}))

    return entries


def record(seen: dict[str, Any] | None = None, *consumed: int, outcome: str = "done") -> Entry:
    """The record of a step that accounts for the entries with these numbers."""
    return Entry(at=1, kind="step", data={"outcome": outcome, "seen": seen or {}, "consumed": list(consumed)})


def element(xml: str, actor: str = "gmail.com", **data: Any) -> Entry:
    """An element that reached a partner."""
    return Entry(at=1, kind="element", actor=actor, stream="s", data={"xml": xml, **data})


def delivered(what: str, actor: str = "alice@contoso.com", **data: Any) -> Entry:
    """Something that reached a user."""
    return Entry(at=1, kind="delivered", actor=actor, data={"what": what, **data})


def ended(condition: str, actor: str = "gmail.com", **data: Any) -> Entry:
    """The end of a partner's stream."""
    return Entry(
        at=1, kind="ended", actor=actor, stream="s", data={"by": "them", "tcp": "fin", "condition": condition, **data}
    )


def barrier(**data: Any) -> Entry:
    """The proof of a quiet."""
    return Entry(at=1, kind="barrier", actor="gmail.com", data=data)


def problem(text: str, actor: str = "runner") -> Entry:
    """Our own fault, or the death of the system."""
    return Entry(at=1, kind="problem", actor=actor, data={"text": text})
