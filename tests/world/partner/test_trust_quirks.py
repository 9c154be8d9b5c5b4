"""Each misbehaviour of TLS and SASL is seen to do what its sentence says."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.world.ca import CertificateAuthority
from simulator.world.partner.negotiating import Refused, authenticate
from simulator.world.partner.stream import PartnerStream
from simulator.xmpp.namespaces import TLS

STARTTLS = f"{{{TLS}}}starttls"


@pytest.fixture(scope="module")
def authority() -> Iterator[CertificateAuthority]:
    with CertificateAuthority() as made:
        yield made


async def negotiate(town: Any, authority: CertificateAuthority, quirk: str, **ours: Any) -> tuple[PartnerStream, str]:
    """A well-behaved contoso.com dials gmail.com, which has the quirk; returns the stream, and how far it came."""
    quirks = [quirk] if quirk else []
    await town.partner("gmail.com", *quirks, abilities={"tls": "optional"}, authority=authority)
    abilities = {"tls": "optional", "dialback": False, **ours}
    contoso = await town.partner("contoso.com", abilities=abilities, authority=authority)
    stream = await contoso.dial("", "gmail.com")

    try:
        await authenticate(contoso, stream, "contoso.com", "gmail.com")
    except Refused as refused:
        return stream, f"{refused.at}: {refused.condition}"

    return stream, stream.method


@pytest.mark.parametrize(
    ("quirk", "outcome"),
    [
        ("", "SASL EXTERNAL over TLS"),
        ("hides-starttls", "SASL: not offered"),
        ("refuses-starttls", "TLS: failure"),
        ("injects-behind-proceed", "TLS: "),
        ("proceeds-in-plaintext", "TLS: "),
        ("closes-after-proceed", "TLS: "),
        ("resets-on-client-hello", "TLS: "),
        ("alerts-on-client-hello", "TLS: "),
        ("garbage-on-client-hello", "TLS: "),
        ("old-tls", "TLS: "),
        ("tls-version: TLSv1.2", "SASL EXTERNAL over TLS"),
        ("ciphers: AES128-SHA", "TLS: "),
        ("asks-for-no-certificate", "SASL: not offered"),
        ("no-mechanisms", "SASL: not offered"),
        ("empty-mechanisms", "SASL: not offered"),
        ("mechanisms: PLAIN SCRAM-SHA-1", "SASL: not offered"),
        ("accepts-every-auth", "SASL EXTERNAL over TLS"),
        ("success-with-data", "SASL EXTERNAL over TLS"),
        ("success-with-equals", "SASL EXTERNAL over TLS"),
        ("challenges", "SASL EXTERNAL over TLS"),
        ("fails-auth: temporary-auth-failure", "SASL: temporary-auth-failure"),
        ("fails-auth-and-closes: not-authorized", "SASL: not-authorized"),
        ("closes-on-auth", "SASL: "),
        ("resets-on-auth", "SASL: "),
        ("offers-starttls-again", "SASL EXTERNAL over TLS"),
        ("external-before-tls", "SASL EXTERNAL over TLS"),
        ("no-sni", "SASL EXTERNAL over TLS"),
        ("no-close-notify", "SASL EXTERNAL over TLS"),
    ],
)
async def test_negotiation_comes_to(town: Any, authority: CertificateAuthority, quirk: str, outcome: str) -> None:
    _, came = await negotiate(town, authority, quirk)

    assert came == outcome or (outcome.endswith(": ") and came.startswith(outcome))
