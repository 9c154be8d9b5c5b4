"""Each misbehaviour of TLS and SASL is seen to do what its sentence says."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.world.ca import CertificateAuthority
from simulator.world.pace import bounded
from simulator.world.partner.negotiating import Refused, authenticate
from simulator.world.partner.stream import PartnerStream
from simulator.xmpp.namespaces import TLS

STARTTLS = f"{{{TLS}}}starttls"
IN_THE_CLEAR = f"<proceed xmlns='{TLS}'/><?xml version='1.0'?><stream:stream"


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
        ("keeps-sessions", "SASL EXTERNAL over TLS"),
        ("no-sni", "SASL EXTERNAL over TLS"),
        ("no-close-notify", "SASL EXTERNAL over TLS"),
    ],
)
async def test_negotiation_comes_to(town: Any, authority: CertificateAuthority, quirk: str, outcome: str) -> None:
    _, came = await negotiate(town, authority, quirk)

    assert came == outcome or (outcome.endswith(": ") and came.startswith(outcome))


@pytest.mark.parametrize(
    ("quirk", "said_last"),
    [
        ("ignores-starttls", "<starttls"),
        ("silent-after-proceed", "<starttls"),
        ("never-answers-auth", "<auth"),
        ("no-features-after-success", "<?xml"),
        ("silent-after-success", "<?xml"),
    ],
)
async def test_nothing_comes_of_it(town: Any, authority: CertificateAuthority, quirk: str, said_last: str) -> None:
    with pytest.raises(TimeoutError):
        async with bounded(0.5):
            await negotiate(town, authority, quirk)

    assert town.entries("sent", "contoso.com")[-1].data["text"].startswith(said_last)
    assert not town.entries("authenticated", "contoso.com")


def sent(town: Any) -> str:
    return "".join(entry.data.get("text", "") for entry in town.entries("sent", "gmail.com"))


@pytest.mark.parametrize(
    ("quirk", "text"),
    [
        ("injects-behind-proceed", IN_THE_CLEAR),
        ("proceeds-in-plaintext", IN_THE_CLEAR),
        ("garbage-on-client-hello", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>HTTP/1.1 400"),
        ("empty-mechanisms", "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
        ("mechanisms: PLAIN SCRAM-SHA-1", "<mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism>"),
        ("success-with-data", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>d2VsY29tZQ==</success>"),
        ("success-with-equals", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</success>"),
        ("challenges", "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><success"),
        ("fails-auth-and-closes: not-authorized", "<not-authorized/></failure></stream:stream>"),
    ],
)
async def test_it_is_spelled_as_it_says(town: Any, authority: CertificateAuthority, quirk: str, text: str) -> None:
    await negotiate(town, authority, quirk)

    assert text in sent(town)


@pytest.mark.parametrize(
    ("quirk", "where", "what"),
    [
        ("offers-starttls-again", 1, "xmpp-tls"),
        ("external-before-tls", 0, "<mechanism>EXTERNAL</mechanism>"),
        ("no-mechanisms", 1, "<dialback"),
    ],
)
async def test_features_hold_what_they_should_not(
    town: Any, authority: CertificateAuthority, quirk: str, where: int, what: str
) -> None:
    await negotiate(town, authority, quirk)
    features = sent(town).split("<stream:features>")[1:]

    assert what in features[where]


@pytest.mark.parametrize(("host", "direct"), [("first.gmail.com", True), ("second.gmail.com", False)])
async def test_one_host_begins_with_tls(town: Any, authority: CertificateAuthority, host: str, direct: bool) -> None:
    hosts = ["first.gmail.com", "second.gmail.com"]
    quirk = "direct-tls: first.gmail.com"
    gmail = await town.partner("gmail.com", quirk, hosts=hosts, abilities={"tls": "optional"}, authority=authority)
    town.names.publish(f"_xmpps-server._tcp.gmail.com SRV 0 0 {gmail.port} {host}.")
    contoso = await town.partner("contoso.com", authority=authority)
    stream = await contoso.open_direct("", "gmail.com", "gmail.com", contoso.papers.terms(direct=True))

    if direct:
        assert (await stream.secured()).application == "xmpp-server"
    else:
        assert (await stream.ended()).tls


async def test_required_tls_is_all_that_is_offered_before_it(town: Any, authority: CertificateAuthority) -> None:
    gmail = await town.partner("gmail.com", abilities={"tls": "required"}, authority=authority)
    contoso = await town.partner("contoso.com")
    stream = await contoso.dial("", gmail.domain)
    await stream.arrived_features()
    contoso.offer_key(stream, "contoso.com", "gmail.com")

    assert "<required/></starttls></stream:features>" in sent(town)
    assert (await stream.ended()).condition == "policy-violation"


async def test_who_knows_no_dialback_says_so(town: Any, authority: CertificateAuthority) -> None:
    gmail = await town.partner("gmail.com", abilities={"tls": "optional", "dialback": False}, authority=authority)
    contoso = await town.partner("contoso.com")
    stream = await contoso.dial("", gmail.domain)
    header, features = await stream.arrived_header(), await stream.arrived_features()
    contoso.offer_key(stream, "contoso.com", "gmail.com")

    assert not header.dialback
    assert features is not None
    assert [child.tag for child in features] == [STARTTLS]
    assert (await stream.ended()).condition == "unsupported-stanza-type"


async def test_the_alert_is_one(town: Any, authority: CertificateAuthority) -> None:
    stream, _ = await negotiate(town, authority, "alerts-on-client-hello")

    assert "alert" in stream.ending.tls


@pytest.mark.parametrize(("quirk", "heard"), [("", True), ("no-close-notify", False)])
async def test_close_notify_is_said_or_not(town: Any, authority: CertificateAuthority, quirk: str, heard: bool) -> None:
    stream, _ = await negotiate(town, authority, quirk)
    town.partners[0].contacts[0].drop()

    assert (await stream.ended()).close_notify is heard
    assert town.entries("ended", "contoso.com")[-1].data.get("close_notify", False) is heard


@pytest.mark.parametrize(("quirk", "name"), [("", "gmail.com"), ("no-sni", None)])
async def test_the_client_names_whom_it_looks_for(
    town: Any, authority: CertificateAuthority, quirk: str, name: str | None
) -> None:
    await town.partner("gmail.com", abilities={"tls": "optional"}, authority=authority)
    contoso = await town.partner(
        "contoso.com", *([quirk] if quirk else []), abilities={"tls": "optional"}, authority=authority
    )
    stream = await contoso.dial("", "gmail.com")
    await authenticate(contoso, stream, "contoso.com", "gmail.com")

    assert town.entries("secured", "gmail.com")[0].data["sni"] == name


@pytest.mark.parametrize(
    ("quirk", "version", "cipher"),
    [("tls-version: TLSv1.2", "TLSv1.2", "GCM"), ("tls-version: TLSv1.3", "TLSv1.3", "TLS_"), ("", "TLSv1.3", "TLS_")],
)
async def test_versions_are_kept_to(
    town: Any, authority: CertificateAuthority, quirk: str, version: str, cipher: str
) -> None:
    stream, _ = await negotiate(town, authority, quirk)

    assert stream.tls is not None
    assert stream.tls.version == version
    assert cipher in stream.tls.cipher
