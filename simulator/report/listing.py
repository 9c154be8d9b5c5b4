"""What there is, as text: scenarios, one scenario, the verb table, the coverage.

Knows scenarios and requirements. Does not know runs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from simulator.scenario.language import GRAMMAR, PATTERNS
from simulator.scenario.model import Scenario, Step
from simulator.scenario.phrase import spoken
from simulator.scenario.requirements import Cover, Coverage, Requirement
from simulator.scenario.sentence import told
from simulator.scenario.steps import VERBS, Verb

MISSING_SHOWN = 6


def scenarios(found: Sequence[Scenario]) -> Iterator[str]:
    """One line each: id and claim."""
    width = max((len(one.id) for one in found), default=0)
    yield from (f"{one.id:<{width}}  {one.claim}" for one in found)


def scenarios_as_json(found: Iterable[Scenario]) -> list[dict[str, Any]]:
    """An array with `id`, `claim` and `covers`."""
    return [{"id": one.id, "claim": one.claim, "covers": list(one.covers)} for one in found]


def scenario(one: Scenario, requirements: Mapping[str, Requirement]) -> Iterator[str]:
    """A scenario with the sentences of what it covers, its world and its steps."""
    yield one.id
    yield f"  {one.claim}"
    yield f"  {one.file}:{one.line}"
    yield from (f"  {line}" for line in textwrap.wrap(one.story, 100))

    if one.covers:
        yield ""
        yield "covers"

    for identifier in one.covers:
        rule = requirements.get(identifier)
        yield f"  {identifier}" + (f"  {rule.level}, {rule.source}: {rule.sentence}" if rule else "")

    yield ""
    yield "world"
    yield f"  system    {', '.join(one.domains)}" + (f"; needs {', '.join(sorted(one.needs))}" if one.needs else "")

    for partner in one.partners.values():
        extra = [*(f"quirk {quirk}" for quirk in partner.quirks), *(f"{k}: {v}" for k, v in partner.options.items())]
        yield f"  partner   {partner.domain}: {partner.profile}" + "".join(f", {text}" for text in extra)

    for name, settings in (one.settings or {}).items():
        yield f"  settings  {name}: {settings}"

    for title, steps in (("given", one.given), ("steps", one.steps)):
        if steps:
            yield ""
            yield title
            yield from (line for step in steps for line in _step(step))

    if one.mutants:
        yield ""
        yield "mutants that must turn it red"
        yield from (f"  {name}" for name in one.mutants)


def verbs() -> Iterator[str]:
    """The grammar, every verb with its meaning and an example, and the convention of patterns."""
    yield from GRAMMAR.splitlines()
    yield ""
    yield f"VERBS ({len(VERBS)})"

    for verb in VERBS.values():
        yield ""
        yield f"  {verb.name}   [{', '.join(verb.actors)}]" + _argument(verb)
        yield from textwrap.wrap(verb.says, 112, initial_indent="    ", subsequent_indent="    ")
        yield from (f"    e.g.  - {line}" for line in verb.example.splitlines())

    yield ""
    yield from PATTERNS.splitlines()


def named(title: str, sentences: Mapping[str, str]) -> Iterator[str]:
    """A titled list of names with a sentence each."""
    width = max((len(name) for name in sentences), default=0)
    yield ""
    yield f"{title} ({len(sentences)})"
    yield ""
    yield from (f"  {name:<{width}}  {says}" for name, says in sentences.items())


def coverage(counted: Coverage) -> Iterator[str]:
    """Covered against total, per family and per specification."""
    for title, group in (("family", counted.families), ("specification", counted.specifications)):
        yield f"{title:<16}{'covered':>8}{'total':>7}{'excused':>9}  missing"
        yield from (_cover(name, cover) for name, cover in group.items())
        yield _cover("all", _sum(group.values())) if title == "family" else ""

    yield "excused requirements cannot be played here: `s2sim coverage --json` says why"


def coverage_as_json(counted: Coverage) -> dict[str, Any]:
    """Family -> `covered`, `total`, `missing` (ids), `excused` (id -> reason)."""
    return {family: msgspec.to_builtins(cover) for family, cover in counted.families.items()}


def _step(step: Step) -> Iterator[str]:
    yield from textwrap.wrap(
        step.text
        + (f"   (when {step.when})" if step.when else "")
        + (f"   ({step.level})" if step.level != "must" else ""),
        112,
        initial_indent="  - ",
        subsequent_indent="      ",
    )

    for other in step.alternatives:
        verb = VERBS[other.verb]
        phrase, argument = spoken(verb, other.argument)
        yield from textwrap.wrap(
            f"or {told(phrase, verb, argument)}   ({other.because})",
            112,
            initial_indent="      ",
            subsequent_indent="         ",
        )


def _argument(verb: Verb) -> str:
    keys = f" {{{', '.join(verb.keys)}}}" if verb.keys else ""

    return "" if verb.argument == "none" else f"   argument: {verb.argument}{keys}"


def _sum(covers: Iterable[Cover]) -> Cover:
    all_of = list(covers)

    return Cover(
        sum(one.covered for one in all_of),
        sum(one.total for one in all_of),
        tuple(name for one in all_of for name in one.missing),
        {name: why for one in all_of for name, why in one.excused.items()},
    )


def _cover(name: str, cover: Cover) -> str:
    shown = ", ".join(cover.missing[:MISSING_SHOWN])
    more = f", … {len(cover.missing) - MISSING_SHOWN} more" if len(cover.missing) > MISSING_SHOWN else ""

    return f"{name:<16}{cover.covered:>8}{cover.total:>7}{len(cover.excused):>9}  {shown}{more}".rstrip()
