"""The edge's port as OpenSSL's own client sees it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from simulator.gateway.configuration import Negotiation

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl here")


@pytest.fixture
async def site(world: Any) -> Any:
    partner = world.partner("gmail.com", tls_negotiation=Negotiation.REQUIRED, sasl_negotiation=Negotiation.OPTIONAL)

    return await world.secure_site("contoso.com", partners=[partner])


async def client(site: Any, authority: Path, *options: str) -> str:
    """What ``openssl s_client`` prints of a connection that it ends at once."""
    assert OPENSSL is not None
    process = await asyncio.create_subprocess_exec(
        OPENSSL,
        "s_client",
        *("-connect", f"127.0.0.1:{site.edge.port}", "-starttls", "xmpp-server", "-xmpphost", "contoso.com"),
        *("-servername", "contoso.com", "-CAfile", str(authority), "-verify_hostname", "contoso.com", *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )

    async with asyncio.timeout(10):
        output, _ = await process.communicate()

    return output.decode(errors="replace")


@pytest.mark.parametrize(("option", "version"), [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
async def test_openssl_verifies_the_edge(world: Any, site: Any, option: str, version: str) -> None:
    output = await client(site, world.authority.authority, option)
    assert "Verification: OK" in output
    assert "Verified peername: contoso.com" in output
    assert f"New, {version}, Cipher is" in output


async def test_the_edge_asks_for_a_certificate(world: Any, site: Any) -> None:
    minted = world.authority.mint("valid", "gmail.com")
    output = await client(
        site, world.authority.authority, "-cert", str(minted.certificate), "-key", str(minted.key), "-state"
    )
    assert "read server certificate request" in output
    assert "write client certificate" in output


@pytest.mark.parametrize(
    "options",
    [
        ("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"),
        ("-tls1_2", "-cipher", "AES128-SHA"),
        ("-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"),
    ],
)
async def test_what_is_old_or_weak_is_refused(world: Any, site: Any, options: tuple[str, ...]) -> None:
    output = await client(site, world.authority.authority, *options)
    assert "Cipher is (NONE)" in output
