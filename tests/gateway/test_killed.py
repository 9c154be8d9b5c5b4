"""Edge, front end and link are killed or cut at random moments under traffic: nothing is lost without a word.

``S2SIM_KILLS=100 pytest tests/gateway/test_killed.py`` kills as often; `S2SIM_SEED` repeats a run, as far as the
moments of an operating system can be repeated.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.gateway.contacts.store import ContactStore
from simulator.world.addresses import Addresses
from simulator.world.dns import NameServer
from simulator.xmpp.address import parse_address
from simulator.xmpp.subscription import is_seen
from tests.gateway.killing import Part, Relay, pace, write_files
from tests.gateway.people import Outgoing, Partner, User, until

KILLS = int(os.environ.get("S2SIM_KILLS", "6"))
SEED = int(os.environ.get("S2SIM_SEED", "1"))
MESSAGES = 25
ALICE, JULIET, EVE = "alice@contoso.com", "juliet@gmail.com", "eve@unverified.example"
VICTIMS = ("edge", "front-end", "link", "silent link")


class Scene:
    """The processes, the people, and what is asked of them in each round."""

    def __init__(self, edge: Part, frontend: Part, relay: Relay, partner: Partner, user: User, edge_host: str) -> None:
        self.edge, self.frontend, self.relay = edge, frontend, relay
        self.partner, self.user, self.edge_host = partner, user, edge_host
        self.outbound: list[str] = []
        self.inbound: dict[str, Outgoing] = {}
        self.granted: set[str] = set()

    async def send_out(self, seeded: random.Random, round_: int) -> None:
        """Alice writes to Juliet."""
        for number in range(MESSAGES):
            name = f"out-{round_}-{number}"

            if self.user.write(name, JULIET):
                self.outbound.append(name)

            await asyncio.sleep(pace(seeded))

    async def send_in(self, seeded: random.Random, round_: int) -> None:
        """Juliet writes to Alice, and asks a question after each message: its answer proves that the message was taken.

        Eve, whom Alice does not know and whose server nobody trusts, writes as well.
        """
        for number in range(MESSAGES):
            name = f"in-{round_}-{number}"
            texts = (
                f"<message from='{JULIET}/b' to='{ALICE}' id='{name}' type='chat'><body>{name}</body></message>",
                f"<iq from='gmail.com' to='contoso.com' id='{name}' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
            )
            stream = await self.partner.stream("gmail.com", self.edge_host)

            if stream is not None and stream.send(name, *texts):
                self.inbound[name] = stream

            if number % 5 == 0 and (eve := await self.partner.stream("unverified.example", self.edge_host)) is not None:
                eve.send(
                    f"eve-{name}",
                    f"<message from='{EVE}/b' to='{ALICE}' id='eve-{name}' type='chat'><body>eve</body></message>",
                    f"<presence from='{EVE}' to='{ALICE}' id='eve-{name}' type='subscribe'/>",
                    f"<presence from='{EVE}' to='{ALICE}' id='eve-{name}' type='probe'/>",
                )

            await asyncio.sleep(pace(seeded))

    async def ask(self, round_: int) -> None:
        """Somebody new at the partner asks to see Alice; nobody there has to ask her (PublicVerified)."""
        stream = await self.partner.stream("gmail.com", self.edge_host)

        if stream is not None:
            stream.send("", f"<presence from='nurse-{round_}@gmail.com' to='{ALICE}' type='subscribe' id='s{round_}'/>")

    def hinder(self, busy: bool) -> None:
        """Let people be slow, so that messages are on their way when something is killed."""
        self.partner.be_busy(busy)
        self.user.hold(busy)

    async def strike(self, victim: str) -> None:
        if victim == "edge":
            await self.edge.kill()
        elif victim == "front-end":
            await self.frontend.kill()
        elif victim == "link":
            self.relay.cut()
        else:
            self.relay.swallow()

    async def recover(self, victim: str) -> None:
        """Start again what was killed, and return when messages pass again in both directions."""
        if victim == "edge":
            await self.edge.start()
        elif victim == "front-end":
            await self.frontend.start()
            await self.user.sign_in()
        else:
            # A link that is silent has to be found out before it can be mended.
            if victim == "silent link":
                await until(lambda: self.user.settled, "the front end finds that the link is dead")

            self.relay.mend()

        await self._passes(victim)

    async def _passes(self, after: str) -> None:
        attempt = 0

        async with asyncio.timeout(60):
            while True:
                name = f"probe-{after}-{len(self.outbound)}-{attempt}"
                attempt += 1
                self.user.write(name, JULIET)
                await until(lambda: self.user.settled, "a message has a fate")

                if self.user.codes[name] == 200:
                    return

                await asyncio.sleep(0.05)

    async def all_settled(self) -> None:
        """Everybody who sent something has been told, or has lost the stream on which it went."""
        await until(lambda: self.user.settled, "every message of alice has a fate")
        await until(lambda: all(map(self._is_settled, self.inbound)), "every message of juliet has a fate")

    def _is_settled(self, name: str) -> bool:
        if name in self.partner.errors or name in self.user.bodies:
            return True

        # Its stream broke, visibly, and nothing says that the message was taken: it was in buffers that died.
        return self.inbound[name].over and not self.was_taken(name)

    def was_taken(self, name: str) -> bool:
        """Whether a question that was asked after this message, on the same stream, was answered."""
        sent = self.inbound[name].sent

        return any(later in self.partner.answered for later in sent[sent.index(name) :])


@pytest.fixture
async def scene(words: dict[str, Any], tmp_path: Path) -> AsyncIterator[Callable[[], Any]]:
    with Addresses() as addresses:
        hosts = {name: addresses.take(name) for name in ("edge", "relay", "inside", "partner")}
        names = NameServer()
        await names.start()

        for domain in ("gmail.com", "unverified.example"):
            names.publish(f"_xmpp-server._tcp.{domain} SRV 0 0 5269 x.{domain}.\nx.{domain} A {hosts['partner']}")

        plain = {"tls-negotiation": "NotSupported", "sasl-negotiation": "NotSupported", "enable-keep-alive": False}
        words |= {
            "partners": [
                {"identity": "gmail.com", "partner-type": "PublicVerified", **plain},
                {"identity": "unverified.example", "partner-type": "PublicUnverified", **plain},
            ],
            "dns": {"server": names.host, "port": names.port, "timeout": 2.0},
            "edge": {"connect-timeout": 2.0, "link-keep-alive": 0.7},
            "frontend": {
                "host": hosts["inside"],
                "sip-tcp-port": 5060,
                "sip-tls-port": None,
                "contacts": str(tmp_path / "contacts.sqlite"),
            },
            # A partner that cannot be reached at first is tried again at once.
            "retry": {"link-first": 0.02, "link-longest": 0.1, "stream-first": 0.01, "stream-longest": 0.05},
        }
        edge_file, inside_file = write_files(tmp_path, words, hosts)
        relay, partner = Relay(hosts["relay"], 23456, (hosts["edge"], 23456)), Partner(hosts["partner"])
        user = User(hosts["inside"])
        made = Scene(Part("edge", edge_file), Part("front-end", inside_file), relay, partner, user, hosts["edge"])

        try:
            await relay.start()
            await partner.start()
            await asyncio.gather(made.edge.start(), made.frontend.start())
            await user.sign_in()
            await made._passes("start")
            yield made  # type: ignore[misc]
        finally:
            user.vanish()
            await made.frontend.child.end()
            await made.edge.child.end()
            await partner.stop()
            await relay.stop()
            await names.stop()


def judge(scene: Scene) -> list[str]:
    """What is wrong with what everybody was told."""
    partner, user = scene.partner, scene.user
    wrong = []

    for name in scene.outbound:
        code = user.codes.get(name)

        # 0: her connection broke before there was an answer, as it does when the front end is killed.
        if code == 200 and name not in partner.bodies:
            wrong.append(f"{name} was answered 200 and did not arrive")
        elif code is None:
            wrong.append(f"{name} has no answer")

    if "eve" in user.bodies:
        wrong.append("a message of a stranger at an unverified partner arrived")

    if any(to.startswith(EVE) and kind in ("", "subscribed") for _, to, kind in partner.presences):
        wrong.append("a stranger at an unverified partner was shown something")

    doubled = {name for name in user.bodies if name != "eve" and user.bodies.count(name) > 1}

    return wrong + [f"{name} arrived more than once" for name in sorted(doubled)]


@pytest.mark.timeout(120 + 30 * KILLS)
async def test_nothing_is_lost_without_a_word(scene: Any, tmp_path: Path) -> None:
    seeded = random.Random(SEED)

    for round_ in range(KILLS):
        victim = VICTIMS[round_] if round_ < len(VICTIMS) else seeded.choice(VICTIMS)
        traffic = asyncio.gather(scene.send_out(seeded, round_), scene.send_in(seeded, round_), scene.ask(round_))
        await asyncio.sleep(seeded.random() * 0.1)
        scene.hinder(round_ < len(VICTIMS) or seeded.random() < 0.5)
        await asyncio.sleep(seeded.random() * 0.1)
        await scene.strike(victim)
        await traffic
        scene.hinder(False)
        await scene.recover(victim)
        await scene.all_settled()

        assert not judge(scene), f"round {round_}, {victim} (S2SIM_SEED={SEED}): {judge(scene)}"

    # Both fates were met, or nothing was tried.
    assert {200} < set(scene.user.codes.values())
    assert scene.partner.errors
    assert scene.user.bodies

    # What was granted is on the list, whenever the front end was killed after that.
    granted = {to.partition("@")[0] for _, to, kind in scene.partner.presences if kind == "subscribed"}
    await scene.frontend.kill()
    store = ContactStore(str(tmp_path / "contacts.sqlite"))
    store.open()
    found = {contact.address.local for contact in store.contacts(parse_address(ALICE)) if is_seen(contact.state)}
    store.close()
    assert granted
    assert granted <= found
    assert not any(local == "eve" for local in found)
