"""The requirements and how far the scenarios cover them.

Knows scenarios/requirements.yaml: family -> id -> requirement. Does not know whether a scenario holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from simulator.document import Document, read_document
from simulator.scenario.model import Scenario

RequirementLevel = Literal["MUST", "SHOULD", "MAY", "BCP", "POL", "TOL", "SEC"]
Direction = Literal["I", "O", "B"]

_SPECIFICATION = re.compile(r"\b(?P<series>RFC|XEP) ?-?(?P<number>\d{4})")


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """One testable rule."""

    id: str
    family: str
    direction: Direction
    """I: the partner acts on the system; O: the system acts on the partner; B: both."""
    level: RequirementLevel
    source: str
    sentence: str
    excused: str | None = None
    """Why it cannot be played; None: it can."""
    line: int = 1

    @property
    def specifications(self) -> tuple[str, ...]:
        """The documents that its source names, such as ``RFC 6120`` and ``XEP-0220``."""
        found = _SPECIFICATION.finditer(self.source)

        return tuple(
            dict.fromkeys(f"{one['series']}{'-' if one['series'] == 'XEP' else ' '}{one['number']}" for one in found)
        )


class Cover(msgspec.Struct, frozen=True):
    """How far one family or one specification is covered."""

    covered: int
    total: int
    missing: tuple[str, ...]
    excused: dict[str, str]


class Coverage(msgspec.Struct, frozen=True):
    """Covered against total, twice."""

    families: dict[str, Cover]
    specifications: dict[str, Cover]


class _Item(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    direction: Direction
    level: RequirementLevel
    source: str
    sentence: str
    excused: str | None = msgspec.field(default=None, name="not-playable")


def read_requirements(path: Path) -> list[Requirement]:
    """Read requirements.yaml, in its own order; raises DocumentError at the exact place."""
    return parse_requirements(read_document(path))


def parse_requirements(document: Document) -> list[Requirement]:
    """Make requirements of a document: family -> id -> {direction, level, source, sentence, not-playable}."""
    families = document.convert(dict[str, dict[str, _Item]])
    requirements: dict[str, Requirement] = {}

    for family, items in families.items():
        for identifier, item in items.items():
            path = (family, identifier)

            if identifier.partition("-")[0] != family:
                raise document.error(path, f"{identifier} is not of the family {family}")

            requirements[identifier] = Requirement(
                id=identifier,
                family=family,
                line=document.positions.get(path, (1, 1))[0],
                **msgspec.structs.asdict(item),
            )

    return list(requirements.values())


def coverage(requirements: Iterable[Requirement], scenarios: Iterable[Scenario]) -> Coverage:
    """Count, per family and per specification, which requirements some scenario covers.

    An excused requirement is not missing and stays in the total; one that is covered all the same counts as covered.
    """
    wanted = list(requirements)
    covered = {identifier for scenario in scenarios for identifier in scenario.covers}
    covered |= {one for scenario in scenarios for step in scenario.all_steps for one in step.covers}
    families: dict[str, list[Requirement]] = {}
    specifications: dict[str, list[Requirement]] = {}

    for requirement in wanted:
        families.setdefault(requirement.family, []).append(requirement)

        for specification in requirement.specifications:
            specifications.setdefault(specification, []).append(requirement)

    return Coverage(
        {family: _count(group, covered) for family, group in families.items()},
        {name: _count(specifications[name], covered) for name in sorted(specifications)},
    )


def _count(group: list[Requirement], covered: set[str]) -> Cover:
    open_ = [requirement for requirement in group if requirement.id not in covered]

    return Cover(
        covered=len(group) - len(open_),
        total=len(group),
        missing=tuple(requirement.id for requirement in open_ if requirement.excused is None),
        excused={requirement.id: requirement.excused for requirement in open_ if requirement.excused is not None},
    )
