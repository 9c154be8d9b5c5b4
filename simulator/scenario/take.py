"""Which of the waiting arrivals does a step take?

Acts ask it, so that they pass over exactly what the verdict allows. Knows patterns; judges nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from simulator.scenario.match import match_element, match_fields
from simulator.scenario.model import Scenario, Step
from simulator.scenario.names import recast
from simulator.scenario.news import bare
from simulator.scenario.steps import VERBS

Arrival = str | Mapping[str, Any]
"""An element as XML text, or the data of a `delivered` entry."""

#: What answers a message: these steps name its id where the user has sent several.
ANSWERS = frozenset({"refusal", "accepted"})

#: Steps about what a contact shows -> what they wait for. The order of presence and of decisions counts: RFC 6121
#: §3.1.5 has the approval come first, §3.2.2 the unavailable presence before the cancellation.
SORTS = {
    "presence": ("presence", "subscription"),
    "subscription": ("presence", "subscription"),
    "composing": ("composing",),
}
PRESENT = frozenset(SORTS)
#: What arrives beside messages -> the stanza that it came as. Steps about messages pass it over.
STANZAS = {"presence": "presence", "subscription": "presence", "contact": "iq", "composing": "message"}
BESIDE = frozenset(STANZAS)

ENDS = "ends"
"""The key of a *may also receive* that allows the end of a stream: ``{ends: CONDITION}``."""


def choose(
    scenario: Scenario,
    step: Step,
    waiting: Sequence[Arrival],
    captures: Mapping[str, str],
    cast: Mapping[str, str] | None = None,
    old: Collection[int] = (),
) -> int | None:
    """Return the number of the arrival that `step` takes, or None when it must wait for another.

    That is the first one, except that those are passed over which *may also receive* allows and which are not what the
    step wants. A user's step passes over what answers another question: *receives a message* over acknowledgements and
    presence, *is refused* and *is accepted* over messages. Presence and what is decided about a subscription are one
    sequence for each contact. A device's step passes over what reached another device. `old` are the numbers of
    arrivals that say nothing new: they are taken only where they are what is wanted.
    """
    verb = VERBS[step.verb]
    wanted = [recast(step.argument if step.argument is not None else verb.default, cast or {})]
    wanted += [recast(other.argument, cast or {}) for other in step.alternatives]
    sorts = {verb.expects, *(VERBS[other.verb].expects for other in step.alternatives)}
    allowed = recast(list(scenario.may_also_until(step)), cast or {})

    for number, arrival in enumerate(waiting):
        if not any(_concerns(expects, arrival, wanted) for expects in sorts) or _answers_another(step, arrival):
            continue

        if step.device and not isinstance(arrival, str) and arrival.get("device") != step.device:
            continue

        if any(_fits(pattern, arrival, captures) for pattern in wanted):
            return number

        if number not in old and not is_allowed(allowed, arrival, captures):
            return number

    return None


def is_allowed(patterns: Iterable[Any], arrival: Arrival, captures: Mapping[str, str]) -> bool:
    """Whether one of the patterns of *may also receive* fits this arrival."""
    return any(_fits(pattern, arrival, captures) for pattern in patterns)


def end_is_allowed(patterns: Iterable[Any], condition: str | None) -> bool:
    """Whether one of the patterns allows a stream to end with this condition."""
    return any(
        isinstance(pattern, Mapping) and ENDS in pattern and pattern[ENDS] in (condition, "...") for pattern in patterns
    )


def _concerns(expects: str, arrival: Arrival, wanted: Sequence[Any]) -> bool:
    """Whether an arrival is of the sort that this step waits for at all."""
    what = "" if isinstance(arrival, str) else str(arrival.get("what"))

    if expects in PRESENT:
        return what in SORTS[expects] and any(_is_from(one, arrival) for one in wanted)

    return {
        "message": what not in ("accepted", *BESIDE),
        "element": what not in ("accepted", *BESIDE) or any(_is_stanza(one, what) for one in wanted),
        "refusal": what == "refusal",
        "accepted": what in ("accepted", "refusal"),
        "told": what == "error" or (what == "output" and any(_wants_output(one) for one in wanted)),
    }.get(expects, True)


def _is_from(wanted: Any, arrival: Arrival) -> bool:
    """Whether an arrival is of the contact that a step names: of that one device, where it names one."""
    sender, contact = (
        str(one.get("from", "")).lower() if isinstance(one, Mapping) else "" for one in (arrival, wanted)
    )

    return sender == contact or bare(sender) == contact or ("/" in contact and sender == bare(contact))


def _wants_output(wanted: Any) -> bool:
    return not isinstance(wanted, Mapping) or "output" in wanted


def _is_stanza(pattern: Any, what: str) -> bool:
    """Whether a pattern of XML is about this sort of arrival."""
    return isinstance(pattern, str) and pattern.lstrip().startswith(f"<{STANZAS.get(what, '/')}")


def _answers_another(step: Step, arrival: Arrival) -> bool:
    """Whether an answer is about another message than the one whose id the step names."""
    wanted = step.argument.get("id") if isinstance(step.argument, Mapping) else None

    return (
        bool(wanted)
        and VERBS[step.verb].expects in ANSWERS
        and not isinstance(arrival, str)
        and (arrival.get("id") not in (None, wanted))
    )


def _fits(pattern: Any, arrival: Arrival, captures: Mapping[str, str]) -> bool:
    if pattern is None:
        return False

    if isinstance(arrival, str):
        # What is no XML is the argument of an alternative of another sort: how the stream may end instead.
        is_xml = isinstance(pattern, str) and pattern.lstrip().startswith("<")

        return is_xml and match_element(pattern, arrival, dict(captures)) is None

    if isinstance(pattern, Mapping) and ENDS in pattern:
        return False

    if isinstance(pattern, str) and pattern.lstrip().startswith("<"):
        return "xml" in arrival and match_element(pattern, str(arrival["xml"]), dict(captures)) is None

    fields = pattern if isinstance(pattern, Mapping) else {"body": pattern}

    return match_fields(fields, arrival, dict(captures), "message") is None
