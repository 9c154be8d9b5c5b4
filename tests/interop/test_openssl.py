"""OpenSSL's own client against the gateway: certificates, versions of TLS, and a link that is not for everybody."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from simulator.world.ca import CertificateAuthority
from simulator.world.systems.embedded_process import EmbeddedProcess
from tests.interop.conftest import OUTSIDE, row

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is not installed: apt-get install openssl"
)

HEADER = (
    b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'"
    b" from='frontend.internal' to='edge.internal'>"
)
FROM_OUTSIDE = HEADER.replace(b"frontend.internal", OUTSIDE.encode()).replace(b"edge.internal", b"contoso.com")


async def s_client(place: tuple[str, int], *options: str, says: bytes = b"", until: bytes = b"") -> str:
    """What it prints: until it ends, or until certain words come."""
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-connect", f"{place[0]}:{place[1]}", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(says)
    said = b""

    try:
        async with asyncio.timeout(10):
            while (not until or until not in said) and (data := await process.stdout.read(65536)):
                said += data
    finally:
        if process.returncode is None:
            process.kill()

        await process.wait()

    return said.decode("utf-8", "replace")


def trusting(town: Any, name: str) -> tuple[str, ...]:
    return ("-CAfile", str(town.authority.authority), "-verify_return_error", "-verify_hostname", name)


@pytest.mark.parametrize("domain", ["contoso.com", "sip.contoso.com", "sip.fabrikam.com"])
async def test_certificate_of_the_sip_port_is_good(town: Any, gateway: Any, domain: str) -> None:
    said = await s_client(gateway.listening["sips"], *trusting(town, domain), until=b"Verify return code")

    assert "Verification: OK" in said
    assert f"Verified peername: {domain}" in said


@pytest.mark.parametrize(("option", "version"), [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
async def test_versions_of_today_are_spoken(town: Any, gateway: Any, option: str, version: str) -> None:
    said = await s_client(gateway.listening["sips"], *trusting(town, "contoso.com"), option, until=b"Verify return")

    assert f"New, {version}" in said
    assert "Verification: OK" in said


@pytest.mark.parametrize("service", ["sips", "link"])
@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
async def test_versions_of_yesterday_are_refused(gateway: Any, service: str, option: str) -> None:
    # Security level 0: otherwise it is this client that would not speak them.
    said = await s_client(gateway.listening[service], option, "-cipher", "DEFAULT@SECLEVEL=0")

    assert "alert protocol version" in said
    assert "Cipher is (NONE)" in said


@pytest.mark.parametrize("option", ["-tls1_2", "-tls1_3"])
async def test_link_is_closed_to_the_nameless(gateway: Any, option: str) -> None:
    said = await s_client(gateway.listening["link"], option, says=HEADER)

    assert "alert certificate required" in said or "alert handshake failure" in said
    assert "<stream:stream" not in said.partition("Server certificate")[2]


async def test_link_is_closed_to_other_names(gateway: Any, issued: tuple[Path, Path]) -> None:
    """Partners may well have their certificates from the same authority."""
    certificate, key = map(str, issued)
    said = await s_client(gateway.listening["link"], "-cert", certificate, "-key", key, says=HEADER)

    assert "<stream:stream" not in said


async def test_link_is_open_to_the_right_name(town: Any, gateway: Any) -> None:
    files = town.authority.issue("link.internal")
    said = await s_client(
        gateway.listening["link"],
        *(*trusting(town, "link.internal"), "-cert", str(files.certificate), "-key", str(files.key)),
        says=HEADER,
        until=b"<stream:stream",
    )

    assert "<stream:stream" in said


@pytest.fixture
async def edge(town: Any) -> tuple[str, int]:
    """The port for partners of a gateway that asks them for TLS."""
    gateway = await town.seat(EmbeddedProcess, partners={OUTSIDE: row("required/optional/yes")})
    place: tuple[str, int] = gateway.listening["edge"]

    return place


def starttls(domain: str) -> tuple[str, ...]:
    return ("-starttls", "xmpp-server", "-xmpphost", domain)


@pytest.mark.parametrize("domain", ["contoso.com", "fabrikam.com"])
@pytest.mark.parametrize(("option", "version"), [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
async def test_partners_are_shown_a_good_certificate(
    town: Any, edge: tuple[str, int], domain: str, option: str, version: str
) -> None:
    said = await s_client(edge, *starttls(domain), *trusting(town, domain), option, until=b"Verify return code")

    assert f"New, {version}" in said
    assert "Verification: OK" in said
    assert f"Verified peername: {domain}" in said


@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
async def test_partners_get_no_version_of_yesterday(edge: tuple[str, int], option: str) -> None:
    said = await s_client(edge, *starttls("contoso.com"), option, "-cipher", "DEFAULT@SECLEVEL=0")

    assert "alert protocol version" in said
    assert "Cipher is (NONE)" in said


async def test_partners_may_show_what_certificate_they_like(town: Any, edge: tuple[str, int]) -> None:
    """RFC 6120 §13.7.2: TLS goes on, and the certificate is judged by what is asked in its name."""
    with CertificateAuthority() as another:
        files = another.issue(OUTSIDE)
        said = await s_client(
            edge,
            *(*starttls("contoso.com"), *trusting(town, "contoso.com")),
            *("-cert", str(files.certificate), "-key", str(files.key), "-ign_eof"),
            says=FROM_OUTSIDE,
            until=b"</stream:features>",
        )

    features = said.rpartition("<stream:features")[2]
    assert "urn:xmpp:features:dialback" in features
    assert "EXTERNAL" not in features
