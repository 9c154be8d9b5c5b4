"""What each type of partner lets its users do, cell by cell, in literals of its own."""

import pytest

from simulator.gateway.access.authorization import AuthorizationSettings
from simulator.gateway.access.gates import Gate
from simulator.gateway.access.partner_types import TABLE, Action
from simulator.gateway.access.point import AccessPoint
from simulator.gateway.partner import PartnerType
from simulator.xmpp.address import parse_address
from tests.gateway.access.conftest import Settings

ALICE = parse_address("alice@contoso.com")

#: partner -> what its users may do before they were added, and after
MAY = {
    "federated.example": ("subscribe see message note", "subscribe see message note"),
    "verified.example": ("subscribe see message", "subscribe see message"),
    "unverified.example": ("", "subscribe see message"),
    "also.example": ("", "subscribe see message"),
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("domain", MAY)
def test_every_cell_of_the_table(configured: Settings, domain: str, added: bool, action: Action) -> None:
    contact = parse_address(f"juliet@{domain}/balcony")
    closed = AccessPoint(configured()).inbound(ALICE, contact, action, added=added)

    if action.value in MAY[domain][added].split():
        assert closed is None
    else:
        assert closed is not None
        assert (closed.gate, closed.diagnostics) == (Gate.AUTHORIZATION, 0)
        assert f"alice@contoso.com {'has added' if added else 'has not added'} juliet@{domain}" in closed.reason


@pytest.mark.parametrize("domain", MAY)
def test_type_stops_nothing_that_a_user_sends(configured: Settings, domain: str) -> None:
    assert AccessPoint(configured()).outbound(ALICE, parse_address(f"juliet@{domain}")) is None


@pytest.mark.parametrize(("domain", "shown"), [(domain, domain == "federated.example") for domain in MAY])
def test_only_federated_partners_see_notes(configured: Settings, domain: str, shown: bool) -> None:
    assert AccessPoint(configured()).shows_note(parse_address(f"juliet@{domain}")) is shown


def test_stranger_sees_no_note_and_is_not_let_in_unasked(configured: Settings) -> None:
    stranger = parse_address("mallory@stranger.example")
    point = AccessPoint(configured())

    assert not point.shows_note(stranger)
    assert point.asks_user(stranger)


@pytest.mark.parametrize("prompts", [False, True])
@pytest.mark.parametrize("domain", MAY)
def test_only_verified_partners_may_be_put_before_the_user(configured: Settings, domain: str, prompts: bool) -> None:
    point = AccessPoint(configured(authorization={"public-verified-prompts": prompts}))

    assert point.asks_user(parse_address(f"juliet@{domain}")) is (prompts and domain == "verified.example")


def test_nobody_is_asked_unless_that_is_set() -> None:
    assert AuthorizationSettings().public_verified_prompts is False


def test_table_has_every_cell() -> None:
    assert set(TABLE) == {
        (type_, action, added) for type_ in PartnerType for action in Action for added in (True, False)
    }


def test_adding_a_contact_never_takes_anything_away() -> None:
    assert all(TABLE[type_, action, True] >= TABLE[type_, action, False] for type_, action, _ in TABLE)
