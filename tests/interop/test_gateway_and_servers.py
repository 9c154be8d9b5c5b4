"""The gateway and a real server, each set up for some way to prove a domain: who is proven how, and who is not.

None of our partners speaks between them, and the log of the server is the witness.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulator.world.ca import CertificateAuthority
from simulator.world.systems import ejabberd, prosody
from simulator.world.systems.embedded_process import EmbeddedProcess
from simulator.world.systems.system import NotInstalled, System
from tests.interop.conftest import OUTSIDE, fate, row
from tests.interop.witness import EXTERNAL, TCP_DIALBACK, TLS_DIALBACK, methods

ALICE, JULIET = "alice@contoso.com", f"juliet@{OUTSIDE}"
SERVERS: dict[str, Any] = {"Prosody": prosody, "ejabberd": ejabberd}

#: what the gateway is set up for, and the server, as TLS/SASL/dialback -> how both directions are authenticated
MEETINGS = [
    ("required/required/no", "required/required/no", EXTERNAL),
    ("optional/optional/yes", "required/optional/yes", EXTERNAL),
    ("required/optional/yes", "optional/optional/yes", EXTERNAL),
    ("required/not-supported/yes", "required/optional/yes", TLS_DIALBACK),
    ("not-supported/not-supported/yes", "optional/optional/yes", TCP_DIALBACK),
    ("optional/optional/yes", "not-supported/not-supported/yes", TCP_DIALBACK),
    ("required/required/no", "not-supported/not-supported/yes", ""),
    ("not-supported/not-supported/yes", "required/required/no", ""),
]
#: the same, for a server that uses no certificates of peers
WITHOUT_SASL = [
    ("required/optional/yes", "required/not-supported/yes", TLS_DIALBACK),
    ("optional/optional/yes", "optional/not-supported/yes", TLS_DIALBACK),
    ("required/required/no", "required/not-supported/yes", ""),
]
#: the same, where neither trusts who has issued the other's certificates
UNTRUSTED = [
    ("optional/optional/yes", "optional/optional/yes", TLS_DIALBACK),
    ("required/required/no", "required/required/no", ""),
]


async def seat(town: Any, name: str, words: str) -> System:
    """The server, if it is installed."""
    module = SERVERS[name]

    try:
        await asyncio.to_thread(module.installed)
    except NotInstalled as error:
        pytest.skip(str(error))

    system: System = await town.seat(
        module.SEAT.make, domains=(OUTSIDE,), users=(), partners={"contoso.com": row(words)}
    )

    return system


async def meet(town: Any, gateway: System, server: System, method: str) -> None:
    """A message each way; each of them opens the stream that it travels on."""
    alice, juliet = await town.user(gateway, ALICE), await town.user(server, JULIET)

    for number, (one, other) in enumerate([(alice, juliet), (juliet, alice)]):
        await one.send_message(other.address, "Wherefore art thou Roméo? <&>", id=f"m{number}")
        arrival = await fate(other if method else one, f"m{number}")

        assert arrival.what == ("message" if method else "refusal")
        assert not method or arrival.fields["body"] == "Wherefore art thou Roméo? <&>"

    expected = {"in": method, "out": method} if method else {}
    assert await methods(server, len(expected)) == expected
    # Each takes a moment to end: both at once.
    await asyncio.gather(gateway.stop(), server.stop())


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(("ours", "theirs", "method"), MEETINGS)
async def test_domains_are_proven_as_both_sides_allow(
    town: Any, name: str, ours: str, theirs: str, method: str
) -> None:
    server = await seat(town, name, theirs)
    await meet(town, await town.seat(EmbeddedProcess, partners={OUTSIDE: row(ours)}), server, method)


@pytest.mark.parametrize(("ours", "theirs", "method"), WITHOUT_SASL)
async def test_server_without_sasl_is_proven_by_dialback(town: Any, ours: str, theirs: str, method: str) -> None:
    server = await seat(town, "Prosody", theirs)
    await meet(town, await town.seat(EmbeddedProcess, partners={OUTSIDE: row(ours)}), server, method)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(("ours", "theirs", "method"), UNTRUSTED)
async def test_certificates_of_strangers_prove_nothing(
    town: Any, monkeypatch: pytest.MonkeyPatch, name: str, ours: str, theirs: str, method: str
) -> None:
    """RFC 6120 §13.7.2: they are good for encryption; dialback then proves the domain, where it may."""
    server = await seat(town, name, theirs)

    with CertificateAuthority() as another:
        monkeypatch.setattr(town, "authority", another)
        gateway = await town.seat(EmbeddedProcess, partners={OUTSIDE: row(ours)})
        monkeypatch.undo()
        await meet(town, gateway, server, method)
