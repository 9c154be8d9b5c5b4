"""Certificates that were good when their streams began: how long that lasts, and what ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.gateway.configuration import Negotiation
from simulator.gateway.edge.choosing import refusal_of_answer
from simulator.gateway.edge.lasting import end_of_trust, is_over, next_look
from simulator.gateway.settings import EdgeSettings
from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.events import Nonza, StreamError, StreamHeader

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
REQUIRED = Negotiation.REQUIRED
AUTH = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"


@pytest.mark.parametrize(
    ("lasts", "pause"), [(None, 60.0), (3600.0, 60.0), (60.0, 60.0), (2.5, 2.5), (0.0, 0.0), (-5.0, 0.0)]
)
def test_no_look_comes_later_than_the_end(lasts: float | None, pause: float) -> None:
    assert next_look(60.0, lasts) == pause


@pytest.mark.parametrize(("expiry", "over"), [(None, False), (NOW - SECOND, True), (NOW, False), (NOW + SECOND, False)])
def test_the_last_moment_still_counts(expiry: datetime | None, over: bool) -> None:
    """RFC 5280 §4.1.2.5: the period of validity includes notAfter."""
    assert is_over(expiry, NOW) is over


def test_a_stream_ends_with_reset() -> None:
    """RFC 6120 §13.7.2.3."""
    assert end_of_trust(["it was revoked"]) is StreamCondition.RESET
    assert end_of_trust([]) is None


@pytest.mark.parametrize(
    ("sender", "proven", "refused"),
    [
        ("gmail.com", "gmail.com", False),
        ("GMAIL.com.", "gmail.com", False),
        ("xn--bcher-kva.example", "bücher.example", False),
        (None, "gmail.com", False),
        ("elsewhere.example", None, False),
        ("elsewhere.example", "gmail.com", True),
        ("chat.gmail.com", "gmail.com", True),
        ("no domain", "gmail.com", True),
    ],
)
def test_an_answer_comes_from_whom_the_certificate_proves(
    sender: str | None, proven: str | None, refused: bool
) -> None:
    """RFC 6120 §13.7.2: "SHOULD also correlate the validated identity with the 'from' address (if any)"."""
    refusal = refusal_of_answer(sender, proven)

    assert (refusal is not None and refusal.condition is StreamCondition.INVALID_FROM) is refused


@pytest.fixture
async def site(world: Any) -> Any:
    """An edge that asks about certificates all the time, and is given a list of revoked ones."""
    strict = {"tls_negotiation": REQUIRED, "sasl_negotiation": REQUIRED, "support_dialback_negotiation": False}
    lists = (str(world.authority.revocation_list),)

    return await world.secure_site(
        "contoso.com",
        partners=[world.partner("gmail.com", **strict)],
        certificates=world.certificates("contoso.com", revocation_lists=lists),
        edge=EdgeSettings(host="127.0.0.1", port=0, certificate_check_interval=0.05),
    )


async def authenticated(world: Any, site: Any, kind: str) -> Any:
    peer, _ = await world.secured(site, "gmail.com", kind=kind)
    peer.send_xml(AUTH)
    assert (await peer.expect(Nonza)).element.tag.endswith("success")
    peer.stream.restart()
    await peer.reopen(StreamHeader(sender="gmail.com", to="contoso.com"))

    return peer


async def test_a_stream_ends_when_its_certificate_expires(world: Any, site: Any) -> None:
    peer = await authenticated(world, site, "expires-soon")
    error = await peer.expect(StreamError)

    assert (error.condition, error.text) == ("reset", "the certificate, or one above it, has expired")


async def test_a_stream_ends_when_its_certificate_is_revoked(world: Any, site: Any) -> None:
    # Another one than that of other tests, for there is one authority for all.
    peer = await authenticated(world, site, "two-tenants")
    world.authority.revoke(world.authority.mint("two-tenants", "gmail.com"))
    error = await peer.expect(StreamError)

    assert (error.condition, error.text) == ("reset", "the certificate is revoked")
