"""Checks the words of scenarios that only the world knows: capabilities, mutants, profiles, quirks, certificates.

Knows where each stands in its file. A misspelt capability would otherwise be one that no system has, for ever,
and a misspelt mutant one that nobody ever seats.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from simulator.document import DocumentError, Path_, read_document
from simulator.scenario.model import Scenario
from simulator.world.certificates.catalogue import KINDS
from simulator.world.partner.papers import NO_CERTIFICATE
from simulator.world.profiles import profile_names
from simulator.world.quirks import Behaviour, QuirkError, behave
from simulator.world.systems.gateway_settings import PARTNER_WORDS
from simulator.world.systems.mutants.catalogue import MUTANTS
from simulator.world.systems.system import CAPABILITIES

Mistake = tuple[Path_, str, str]
#: Verbs whose `certificate` is a kind; that of *sees TLS* is whether there is one.
SHOWS_A_CERTIFICATE = ("starts TLS", "opens a TLS connection", "accepts TLS")
NO_PARTNERS = ("gateway", "configuration")


def check_words(scenarios: Iterable[Scenario]) -> None:
    """Raise DocumentError for the first word that means nothing."""
    profiles = profile_names()

    for scenario in scenarios:
        for path, message, hint in _mistakes(scenario, profiles):
            raise _placed(scenario, path, message, hint)


def _mistakes(scenario: Scenario, profiles: Collection[str]) -> Iterator[Mistake]:
    for need in sorted(scenario.needs - CAPABILITIES.keys()):
        yield ("needs",), f"no capability of a system is called {need!r}", _nearest(need, CAPABILITIES)

    for mutant in sorted(set(scenario.mutants) - MUTANTS.keys()):
        yield ("mutants",), f"no mutant is called {mutant!r}", _nearest(mutant, MUTANTS, named=False)

    for name, partner in scenario.partners.items():
        if partner.profile not in profiles:
            path = "partners", name, "profile"
            yield path, f"no profile is called {partner.profile!r}", _nearest(partner.profile, profiles)

        try:
            behave(Behaviour(), partner.quirks)
        except QuirkError as error:
            yield ("partners", name, "quirks"), str(error), "`s2sim steps` explains them all"

        yield from _certificate(("partners", name, "certificate"), partner.options.get("certificate"))

    for step in scenario.all_steps:
        if step.verb in SHOWS_A_CERTIFICATE and isinstance(step.argument, Mapping):
            yield from _certificate((), step.argument.get("certificate"), f"line {step.line}: ")

    for name, settings in (scenario.settings or {}).items():
        for word in settings if name not in NO_PARTNERS else ():
            if word not in PARTNER_WORDS:
                path = "settings", name, word
                yield path, f"no setting of a partner is called {word!r}", _nearest(word, PARTNER_WORDS)


def _certificate(path: Path_, kind: Any, where: str = "") -> Iterator[Mistake]:
    if kind is not None and kind != NO_CERTIFICATE and str(kind) not in KINDS:
        yield path, f"{where}no kind of certificate is called {kind!r}", _nearest(str(kind), KINDS)


def _nearest(word: str, known: Collection[str], *, named: bool = True) -> str:
    """A hint: the nearest words, else all; of hundreds that are not to be `named`, none."""
    near = difflib.get_close_matches(word, known, n=2)
    rest = f"there are: {', '.join(known)}" if named else "`s2sim show ID` names those of a scenario"

    return f"did you mean {' or '.join(near)}?" if near else rest


def _placed(scenario: Scenario, path: Path_, message: str, hint: str) -> DocumentError:
    try:
        return read_document(Path(scenario.file)).error(path, message, hint)
    except DocumentError:
        return DocumentError(scenario.file, scenario.line, 1, message, hint)
