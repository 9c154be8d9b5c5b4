"""What a scenario about a negotiation must come to: the oracle, asked with what the scenario says.

Knows where a scenario says what the administrator has set and what the partner is able to do. The oracle itself is
`negotiation`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from simulator.document import Document, Path_
from simulator.scenario.encounter import (
    REFUSED,
    TLS,
    Abilities,
    Certificate,
    Direction,
    Expectation,
    Refusal,
    as_fields,
)
from simulator.scenario.model import Alternative, Partner
from simulator.scenario.negotiation import expected
from simulator.scenario.negotiation_table import DEFAULTS, Choice, Method, NotValid, Settings

NEGOTIATES = "negotiates"

#: Keys of `mutants:` where it is a mapping.
OUTCOMES = (*(method.value for method in Method), REFUSED)

_STEP = re.compile(r"(?P<actor>\S+) negotiates\b")
_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True)
class Foreseen:
    """Who negotiates, and what must come of it."""

    actor: str
    direction: Direction
    settings: Settings
    expectation: Expectation
    back: Expectation
    """What must come of it when the other side dials."""

    @property
    def argument(self) -> dict[str, Any]:
        """The argument of the step."""
        return {
            **as_fields(self.direction, self.expectation.outcome),
            "back": sorted(method.value for method in self.back.methods),
        }

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """The alternatives of the step."""
        return tuple(
            Alternative(verb=NEGOTIATES, argument=as_fields(self.direction, other.outcome), because=other.because)
            for other in self.expectation.alternatives
        )

    @property
    def outcome(self) -> str:
        """What must come of it, as a key of `mutants:`."""
        outcome = self.expectation.outcome

        return REFUSED if isinstance(outcome, Refusal) else outcome.value


def foresee(document: Document, direction: str, partners: Mapping[str, Partner]) -> Foreseen:
    """Ask the oracle about the scenario's step *negotiates*; raises DocumentError where too little is said for it."""
    actor = _negotiator(document, partners)
    settings = _settings(document, actor)
    abilities = _abilities(document, actor, partners[actor].options)

    try:
        here = Direction(direction)
        back = _expected(settings, abilities, here.opposite)
        expectation = _expected(settings, abilities, here)
    except NotValid as error:
        hint = "a scenario of its own says: the system refuses its settings"
        raise document.error(("settings", actor), f"these settings are not valid: {error}", hint) from None
    except ValueError as error:
        raise document.error(("partners", actor), str(error), "leave the row out: exclude") from None

    return Foreseen(actor, here, settings, expectation, back)


_expected = lru_cache(maxsize=None)(expected)


def _negotiator(document: Document, partners: Mapping[str, Partner]) -> str:
    items = [*(document.data.get("given") or []), *(document.data.get("steps") or [])]
    sentences = [str(next(iter(item), "")) if isinstance(item, dict) else str(item) for item in items]
    actors = [found["actor"] for found in map(_STEP.match, sentences) if found]

    if len(actors) != 1 or actors[0] not in partners:
        message = f"`negotiation` is about one step that says: PARTNER {NEGOTIATES}"
        raise document.error(
            ("negotiation",), message, f"for example: {next(iter(partners), 'gmail.com')} {NEGOTIATES}"
        )

    return actors[0]


def _settings(document: Document, actor: str) -> Settings:
    path: Path_ = ("settings", actor)
    given = (document.data.get("settings") or {}).get(actor)

    if not isinstance(given, Mapping):
        raise document.error(("negotiation",), f"`negotiation` needs settings for {actor}", "tls, sasl and dialback")

    dialback = given.get("dialback", DEFAULTS.dialback)

    if not isinstance(dialback, bool):
        raise document.error((*path, "dialback"), "`dialback` is true or false")

    return Settings(
        _word(document, path, Choice, "tls", given.get("tls", DEFAULTS.tls.value)),
        _word(document, path, Choice, "sasl", given.get("sasl", DEFAULTS.sasl.value)),
        dialback,
    )


def _abilities(document: Document, actor: str, options: Mapping[str, Any]) -> Abilities:
    path: Path_ = ("partners", actor)
    tls = _word(document, path, TLS, "tls", options.get("tls", TLS.NONE.value))
    usual = Certificate.NONE if tls is TLS.NONE else Certificate.VALID

    return Abilities(
        tls=tls,
        certificate=_word(document, path, Certificate, "certificate", options.get("certificate", usual.value)),
        external=bool(options.get("external", tls is not TLS.NONE)),
        dialback=bool(options.get("dialback", True)),
    )


def _word(document: Document, path: Path_, words: type[_Word], key: str, given: Any) -> _Word:
    try:
        return words(given)
    except ValueError:
        known = ", ".join(word.value for word in words)
        raise document.error((*path, key), f"the oracle knows no {key} {given!r}", f"there are: {known}") from None


def in_words(fields: Mapping[str, Any]) -> str:
    """The argument of *negotiates* as it would be told: ``dialback over TLS``, ``refused at dialback by silence``."""
    text = str(fields.get("outcome") or "")
    text += "".join(f" {word} {fields[word]}" for word in ("at", "by") if fields.get(word))

    return text + (f" {fields['condition']}" if fields.get("condition") else "")
