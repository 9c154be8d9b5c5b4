"""Every encounter of the negotiation matrix, for the tests of its oracle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from simulator.scenario.encounter import TLS, Abilities, Allowed, Certificate, Direction, Expectation, Outcome
from simulator.scenario.negotiation import expected
from simulator.scenario.negotiation_table import TABLE, Choice, Method, Settings

IN, OUT = Direction.INBOUND, Direction.OUTBOUND
R, O, N = Choice.REQUIRED, Choice.OPTIONAL, Choice.NOT_SUPPORTED  # noqa: E741 - as the page abbreviates them
EXTERNAL, OVER_TLS, OVER_TCP = Method.EXTERNAL, Method.TLS_DIALBACK, Method.TCP_DIALBACK
BAD = [Certificate.SELF_SIGNED, Certificate.EXPIRED, Certificate.WRONG_NAME, Certificate.UNKNOWN_CA]

PLAIN = Abilities(tls=TLS.NONE, certificate=Certificate.NONE, external=False)
MODERN = Abilities(tls=TLS.REQUIRED)
VALID = [settings for settings, row in TABLE.items() if row.methods]
NOT_VALID = [settings for settings, row in TABLE.items() if not row.methods]


def everybody() -> Iterator[Abilities]:
    """Every partner that may be."""
    for tls, certificate, external, dialback in itertools.product(TLS, Certificate, (True, False), (True, False)):
        partner = Abilities(tls=tls, certificate=certificate, external=external, dialback=dialback)

        if not partner.impossible:
            yield partner


def encounters() -> Iterator[tuple[Settings, Abilities, Direction, Expectation]]:
    """Every encounter of which something comes."""
    for settings, partner, direction in itertools.product(VALID, everybody(), Direction):
        if partner.tls is not TLS.DIRECT or settings.tls is not N:
            yield settings, partner, direction, expected(settings, partner, direction)


ENCOUNTERS = list(encounters())


def outcome(settings: Settings, partner: Abilities, direction: Direction) -> Outcome:
    return expected(settings, partner, direction).outcome


def allowed(expectation: Expectation) -> list[Allowed]:
    """The right outcome first, then the alternatives."""
    return [expectation.right, *expectation.alternatives]
