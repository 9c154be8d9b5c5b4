"""Partners with TLS federate with each other: STARTTLS, direct TLS, SASL EXTERNAL, dialback over TLS, in both roles."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.world.ca import CertificateAuthority
from simulator.xmpp.element import parse_element

HELLO = "<message from='juliet@gmail.com' to='alice@contoso.com' id='m1'><body>Hello</body></message>"
EXTERNAL, OVER_TLS, OVER_TCP = "SASL EXTERNAL over TLS", "dialback over TLS", "dialback over TCP"


@pytest.fixture(scope="module")
def authority() -> Iterator[CertificateAuthority]:
    with CertificateAuthority() as made:
        yield made


async def meet(town: Any, authority: CertificateAuthority, gmail: dict[str, Any], contoso: dict[str, Any]) -> Any:
    """gmail.com with juliet writes to contoso.com with alice; returns what came to either of them."""
    abilities: dict[str, dict[str, Any]] = {"gmail.com": gmail, "contoso.com": contoso}

    for name, given in abilities.items():
        partner = await town.partner(name, *given.pop("quirks", ()), abilities=given, authority=authority)
        partner.add_user(f"{'juliet' if name == 'gmail.com' else 'alice'}@{name}", town.mail.put_nowait)

    town.partners[0].send_stanza(parse_element(HELLO))

    return await town.mail.get()


def methods(town: Any, actor: str) -> list[str]:
    return [entry.data["method"] for entry in town.entries("authenticated", actor)]


@pytest.mark.parametrize(
    ("gmail", "contoso", "method"),
    [
        ({"tls": "none"}, {"tls": "none"}, OVER_TCP),
        ({"tls": "optional"}, {"tls": "none"}, OVER_TCP),
        ({"tls": "none"}, {"tls": "optional"}, OVER_TCP),
        ({"tls": "optional"}, {"tls": "optional"}, EXTERNAL),
        ({"tls": "required"}, {"tls": "optional"}, EXTERNAL),
        ({"tls": "optional"}, {"tls": "required", "dialback": False}, EXTERNAL),
        ({"tls": "optional", "external": False}, {"tls": "required"}, OVER_TLS),
        ({"tls": "optional", "certificate": "self-signed"}, {"tls": "optional"}, OVER_TLS),
        ({"tls": "optional", "certificate": "none"}, {"tls": "required"}, OVER_TLS),
        ({"tls": "optional", "certificate": "wrong-name"}, {"tls": "optional"}, OVER_TLS),
        ({"tls": "direct"}, {"tls": "direct"}, EXTERNAL),
        ({"tls": "direct", "external": False}, {"tls": "direct"}, OVER_TLS),
    ],
)
async def test_both_ends_record_the_method(
    town: Any, authority: CertificateAuthority, gmail: dict[str, Any], contoso: dict[str, Any], method: str
) -> None:
    stanza = await meet(town, authority, gmail, contoso)

    assert stanza.get("id") == "m1"
    assert stanza.get("type") != "error"
    assert (methods(town, "gmail.com"), methods(town, "contoso.com")) == ([method], [method])
    assert not [entry for entry in town.journal if entry.kind == "element" and "handled" not in entry.data]


@pytest.mark.parametrize(
    ("gmail", "contoso"),
    [
        ({"tls": "required"}, {"tls": "none"}),
        ({"tls": "none"}, {"tls": "required"}),
        ({"tls": "optional", "dialback": False}, {"tls": "optional", "external": False}),
        ({"tls": "optional", "dialback": False, "certificate": "expired"}, {"tls": "optional"}),
        ({"tls": "none"}, {"tls": "direct"}),
    ],
)
async def test_those_who_have_nothing_in_common_do_not_meet(
    town: Any, authority: CertificateAuthority, gmail: dict[str, Any], contoso: dict[str, Any]
) -> None:
    assert (await meet(town, authority, gmail, contoso)).get("type") == "error"
    assert methods(town, "contoso.com") == []
