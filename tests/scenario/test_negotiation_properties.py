"""The oracle of the negotiation matrix over everything that may be: it is total, and more is never less."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario.encounter import TLS, Abilities, Certificate, Direction
from simulator.scenario.negotiation import expected
from simulator.scenario.negotiation_table import DEFAULTS, Method, Settings
from tests.scenario.encounters import (
    ENCOUNTERS,
    EXTERNAL,
    IN,
    OUT,
    OVER_TCP,
    OVER_TLS,
    VALID,
    N,
    R,
    allowed,
    everybody,
    outcome,
)


def test_something_comes_of_every_encounter() -> None:
    assert len(ENCOUNTERS) > 1500

    for _, _, _, found in ENCOUNTERS:
        outcomes = [one.outcome for one in allowed(found)]
        assert len(set(outcomes)) == len(outcomes)
        assert all(one.because.partition("§")[0] for one in allowed(found))


def test_every_reason_names_its_section_or_page() -> None:
    for _, _, _, found in ENCOUNTERS:
        assert all(" §" in one.because or one.because.startswith("Lync Server 2013") for one in allowed(found))


def test_without_tls_there_is_no_certificate_and_no_external() -> None:
    assert Abilities(tls=TLS.NONE, certificate=Certificate.NONE, external=True).impossible
    assert Abilities(tls=TLS.NONE, certificate=Certificate.VALID, external=False).impossible

    with pytest.raises(ValueError, match="SASL EXTERNAL needs TLS"):
        expected(DEFAULTS, Abilities(tls=TLS.NONE, external=True), IN)


def test_direct_tls_cannot_be_met_without_tls() -> None:
    with pytest.raises(ValueError, match="cannot be met without TLS"):
        expected(Settings(N, N, True), Abilities(tls=TLS.DIRECT), IN)


def test_direct_tls_comes_to_what_starttls_comes_to() -> None:
    for settings, partner, direction, found in ENCOUNTERS:
        if partner.tls is TLS.REQUIRED and settings.tls is not N:
            assert expected(settings, replace(partner, tls=TLS.DIRECT), direction) == found


def test_no_certificate_no_sasl() -> None:
    for _, partner, direction, found in ENCOUNTERS:
        if partner.certificate is Certificate.NONE and direction is IN:
            assert EXTERNAL not in found.methods


def test_tls_that_is_required_never_yields_tcp() -> None:
    for settings, partner, _, found in ENCOUNTERS:
        if settings.tls is R or partner.tls in (TLS.REQUIRED, TLS.DIRECT):
            assert OVER_TCP not in found.methods


def test_who_is_not_able_to_use_a_method_is_never_authenticated_by_it() -> None:
    for _, partner, _, found in ENCOUNTERS:
        assert partner.external or EXTERNAL not in found.methods
        assert partner.dialback or not found.methods & {OVER_TLS, OVER_TCP}
        assert partner.tls is not TLS.NONE or found.methods <= {OVER_TCP}


def test_both_directions_come_to_the_same_when_the_certificate_is_good() -> None:
    for settings, partner, _, found in ENCOUNTERS:
        if partner.certificate is Certificate.VALID:
            other = expected(settings, partner, OUT)
            assert isinstance(found.outcome, Method) == isinstance(other.outcome, Method)


abilities = st.sampled_from(list(everybody()))
settings_rows = st.sampled_from(VALID)
directions = st.sampled_from(list(Direction))


def is_authenticated(settings: Settings, partner: Abilities, direction: Direction) -> bool:
    return isinstance(outcome(settings, partner, direction), Method)


@given(settings_rows, abilities, directions, st.sampled_from(["external", "dialback"]))
def test_another_way_to_prove_oneself_never_does_harm(
    settings: Settings, partner: Abilities, direction: Direction, way: str
) -> None:
    better = replace(partner, external=True) if way == "external" else replace(partner, dialback=True)

    if not better.impossible and not (partner.tls is TLS.DIRECT and settings.tls is N):
        assert is_authenticated(settings, partner, direction) <= is_authenticated(settings, better, direction)


@given(settings_rows, abilities, directions)
def test_a_better_certificate_never_does_harm(settings: Settings, partner: Abilities, direction: Direction) -> None:
    better = replace(partner, certificate=Certificate.VALID)

    if not better.impossible and not (partner.tls is TLS.DIRECT and settings.tls is N):
        assert is_authenticated(settings, partner, direction) <= is_authenticated(settings, better, direction)


@given(settings_rows, abilities, directions)
def test_tls_does_harm_only_where_it_is_required_and_not_to_be_had(
    settings: Settings, partner: Abilities, direction: Direction
) -> None:
    with_tls = [replace(partner, tls=tls) for tls in (TLS.OPTIONAL, TLS.REQUIRED)]

    if partner.tls is TLS.NONE:
        for better in with_tls:
            lost = is_authenticated(settings, partner, direction) and not is_authenticated(settings, better, direction)
            assert not lost or (better.tls is TLS.REQUIRED and settings.tls is N)


@given(settings_rows, abilities, directions)
def test_dialback_that_is_switched_on_never_does_harm(
    settings: Settings, partner: Abilities, direction: Direction
) -> None:
    more = replace(settings, dialback=True)

    if not (partner.tls is TLS.DIRECT and settings.tls is N):
        assert is_authenticated(settings, partner, direction) <= is_authenticated(more, partner, direction)
