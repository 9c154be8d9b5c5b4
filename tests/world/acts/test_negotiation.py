"""*negotiates*, played in both directions on a stage whose system is another partner."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from simulator.document import parse_document
from simulator.scenario.loader import read_scenarios
from simulator.world.acts.table import perform
from simulator.world.ca import CertificateAuthority
from simulator.world.partner.making import make_partner
from simulator.world.stage import DeadlinePassed, Stage
from simulator.world.users.user import Inbox
from simulator.xmpp.element import parse_element

EXTERNAL, OVER_TLS, OVER_TCP = "SASL EXTERNAL over TLS", "dialback over TLS", "dialback over TCP"
NOTHING = {"tls": "none"}
MODERN = {"tls": "optional"}
ANY = "{direction: DIRECTION, outcome: refused}"
SILENCE = "{direction: DIRECTION, outcome: refused, at: dialback, by: silence}"
ALL_THE_SAME = {"by": "stream error", "condition": "not-authorized"}


@pytest.fixture(scope="module")
def authority() -> Iterator[CertificateAuthority]:
    with CertificateAuthority() as made:
        yield made


class Play:
    """One step *negotiates* of gmail.com with contoso.com, which is what is written there; then `seen` is known."""

    def __init__(self, town: Any, authority: CertificateAuthority) -> None:
        self.town, self.authority = town, authority
        self.delivered: list[Element] = []
        self.stage: Stage

    async def prepare(self, step: str, gmail: dict[str, Any], system: dict[str, Any], *quirks: str) -> None:
        """Both are up, and alice@contoso.com and juliet@gmail.com are there."""
        text = (
            "claim: A test\ndeadline: 1\nsteps:\n"
            "- alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hi}\n"
            f"- gmail.com negotiates: {step}\n"
        )
        scenario = read_scenarios(parse_document(text), "test")[0]
        town = self.town
        self.contoso = await town.partner("contoso.com", *quirks, abilities=system, authority=self.authority)
        given = parse_document(f"claim: x\npartners: {{gmail.com: {gmail}}}\nsteps: [gmail.com receives: <a/>]")
        partner = make_partner(
            read_scenarios(given, "test")[0].partners["gmail.com"],
            journal=town.journal,
            names=town.names,
            addresses=town.addresses,
            entropy=random.Random("gmail.com"),
            scenario=scenario,
            authority=self.authority,
        )
        town.partners.append(partner)
        await partner.start()
        self.partner, self.scenario = partner, scenario
        inboxes = {address: Inbox(town.journal, address) for address in ("alice@contoso.com", "juliet@gmail.com")}
        self.contoso.add_user("alice@contoso.com", self._reader(inboxes["alice@contoso.com"]))
        partner.add_user("juliet@gmail.com", self._reader(inboxes["juliet@gmail.com"]))
        users: Any = {address: SimpleNamespace(inbox=inbox) for address, inbox in inboxes.items()}
        world: Any = SimpleNamespace(name_server=town.names)
        self.stage = Stage(scenario, world, town.journal, {}, random.Random(1), {"gmail.com": partner}, users)

    def _reader(self, inbox: Inbox) -> Any:
        def read(stanza: Element) -> None:
            self.delivered.append(stanza)
            inbox.arrived("refusal" if stanza.get("type") == "error" else "message", id=stanza.get("id"))

        return read

    async def negotiate(self) -> dict[str, Any]:
        """What the step has seen."""
        return dict((await perform(self.stage, self.scenario.steps[1])).data)


async def inbound(
    town: Any,
    authority: CertificateAuthority,
    gmail: dict[str, Any],
    system: dict[str, Any],
    *quirks: str,
    step: str = ANY,
) -> dict[str, Any]:
    play = Play(town, authority)
    await play.prepare(step.replace("DIRECTION", "inbound"), gmail, system, *quirks)
    seen = await play.negotiate()

    # Nothing that is sent all the same ever arrives with a partner who takes nothing unproven.
    assert not play.delivered

    return seen


async def outbound(
    town: Any, authority: CertificateAuthority, gmail: dict[str, Any], system: dict[str, Any], *quirks: str
) -> dict[str, Any]:
    play = Play(town, authority)
    await play.prepare(ANY.replace("DIRECTION", "outbound"), gmail, system, *quirks)
    play.contoso.send_stanza(parse_element("<message from='alice@contoso.com' to='juliet@gmail.com' id='m'/>"))

    return await play.negotiate()


# -- the partner dials


@pytest.mark.parametrize(
    ("gmail", "system", "method"),
    [
        (MODERN, MODERN, EXTERNAL),
        ({"tls": "required"}, {"tls": "required"}, EXTERNAL),
        ({**MODERN, "external": False}, MODERN, OVER_TLS),
        ({**MODERN, "certificate": "self-signed"}, MODERN, OVER_TLS),
        ({**MODERN, "certificate": "none"}, MODERN, OVER_TLS),
        (MODERN, NOTHING, OVER_TCP),
        (NOTHING, MODERN, OVER_TCP),
    ],
)
async def test_the_best_method_that_both_have_is_reported(
    town: Any, authority: CertificateAuthority, gmail: dict[str, Any], system: dict[str, Any], method: str
) -> None:
    assert await inbound(town, authority, gmail, system) == {"method": method}
    assert [entry.data["method"] for entry in town.entries("authenticated", "gmail.com")] == [method]


@pytest.mark.parametrize(
    ("gmail", "system", "quirk", "refused"),
    [
        (MODERN, NOTHING, "stream-error: policy-violation",
         {"at": "features", "by": "stream error", "condition": "policy-violation"}),
        (MODERN, NOTHING, "closes-after-header", {"at": "features", "by": "end of the connection"}),
        ({"tls": "required"}, NOTHING, "", {"at": "starttls", "by": "STARTTLS failure"}),
        (MODERN, MODERN, "refuses-starttls", {"at": "starttls", "by": "STARTTLS failure"}),
        (MODERN, MODERN, "closes-after-proceed", {"at": "tls", "by": "end of the connection"}),
        (MODERN, MODERN, "alerts-on-client-hello", {"at": "tls", "by": "end of the connection"}),
        (MODERN, MODERN, "old-tls", {"at": "tls", "by": "end of the connection"}),
        ({**MODERN, "dialback": False}, MODERN, "fails-auth-and-closes: not-authorized",
         {"at": "sasl", "by": "SASL failure", "condition": "not-authorized"}),
        ({**MODERN, "dialback": False}, MODERN, "fails-auth: not-authorized",
         {"at": "sasl", "by": "SASL failure", "condition": "not-authorized", "then": "not-authorized"}),
        (NOTHING, {"tls": "required"}, "", {"at": "dialback", "by": "stream error", "condition": "policy-violation"}),
        (NOTHING, NOTHING, "answers-error: forbidden",
         {"at": "dialback", "by": "dialback error", "condition": "forbidden", "then": "not-authorized"}),
        (NOTHING, NOTHING, "answers-invalid", {"at": "dialback", "by": "dialback error", "condition": "invalid"}),
        (NOTHING, NOTHING, "resets-on-result", {"at": "dialback", "by": "end of the connection"}),
        ({**NOTHING, "dialback": False}, NOTHING, "", {"at": "stanza", **ALL_THE_SAME}),
        ({**MODERN, "dialback": False, "external": False}, MODERN, "", {"at": "stanza", **ALL_THE_SAME}),
        ({**MODERN, "dialback": False, "certificate": "expired"}, MODERN, "", {"at": "stanza", **ALL_THE_SAME}),
    ],
)  # fmt: skip
async def test_every_refusal_has_its_place_and_its_manner(
    town: Any,
    authority: CertificateAuthority,
    gmail: dict[str, Any],
    system: dict[str, Any],
    quirk: str,
    refused: dict[str, str],
) -> None:
    assert await inbound(town, authority, gmail, system, *filter(None, [quirk])) == {"refused": refused}
    assert not town.entries("authenticated", "gmail.com")


async def test_dialback_follows_a_failure_of_external(town: Any, authority: CertificateAuthority) -> None:
    seen = await inbound(town, authority, MODERN, MODERN, "fails-auth: temporary-auth-failure")

    assert seen == {"method": OVER_TLS}


async def test_silence_is_told_when_a_later_question_was_answered_and_nobody_came(
    town: Any, authority: CertificateAuthority
) -> None:
    seen = await inbound(town, authority, NOTHING, NOTHING, "never-answers", step=SILENCE)

    assert seen == {"refused": {"at": "dialback", "by": "silence", "then": "not-authorized"}}
    assert any(entry.data.get("quiet_s") for entry in town.entries("barrier", "gmail.com"))


async def test_who_has_come_to_ask_is_not_silent(town: Any, authority: CertificateAuthority) -> None:
    assert await inbound(town, authority, NOTHING, NOTHING, "slow: 0.4", step=SILENCE) == {"method": OVER_TCP}


async def test_silence_that_no_text_allows_is_waited_out(town: Any, authority: CertificateAuthority) -> None:
    with pytest.raises(DeadlinePassed, match="what comes of the negotiation"):
        await inbound(town, authority, NOTHING, NOTHING, "never-answers")


async def test_a_stanza_that_passes_is_told(town: Any, authority: CertificateAuthority) -> None:
    play = Play(town, authority)
    await play.prepare(ANY.replace("DIRECTION", "inbound"), {**NOTHING, "dialback": False}, NOTHING)
    negotiating = asyncio.ensure_future(play.negotiate())

    await play.contoso.changed()
    play.contoso.contacts[0].verified.add(("gmail.com", "contoso.com"))

    assert await negotiating == {"refused": {"at": "stanza", "by": "silence"}}
    assert [stanza.get("to") for stanza in play.delivered] == ["alice@contoso.com"]


async def test_nobody_there_is_no_negotiation(town: Any, authority: CertificateAuthority) -> None:
    seen = await inbound(town, authority, NOTHING, NOTHING, "refuses-connections")

    assert seen["connected"] is False


# -- the system dials


@pytest.mark.parametrize(
    ("gmail", "system", "method"),
    [
        (MODERN, MODERN, EXTERNAL),
        ({**MODERN, "external": False}, MODERN, OVER_TLS),
        (MODERN, NOTHING, OVER_TCP),
        (NOTHING, MODERN, OVER_TCP),
    ],
)
async def test_the_method_of_the_systems_stream_is_reported(
    town: Any, authority: CertificateAuthority, gmail: dict[str, Any], system: dict[str, Any], method: str
) -> None:
    assert await outbound(town, authority, gmail, system) == {"method": method}


@pytest.mark.parametrize(
    ("gmail", "system", "quirk", "point"),
    [
        (NOTHING, {"tls": "required"}, "", "features"),
        ({**MODERN, "external": False, "dialback": False}, MODERN, "", "features over TLS"),
        ({"tls": "required"}, NOTHING, "", "dialback"),
        (MODERN, MODERN, "old-tls", "tls"),
        (NOTHING, NOTHING, "offers-wrong-keys", "dialback"),
    ],
)
async def test_how_far_the_systems_stream_came_is_reported(
    town: Any,
    authority: CertificateAuthority,
    gmail: dict[str, Any],
    system: dict[str, Any],
    quirk: str,
    point: str,
) -> None:
    seen = await outbound(town, authority, gmail, system, *filter(None, [quirk]))

    assert seen == {"refused": {"at": point}}


async def test_a_system_that_does_nothing_is_waited_for_in_vain(town: Any, authority: CertificateAuthority) -> None:
    play = Play(town, authority)
    await play.prepare(ANY.replace("DIRECTION", "outbound"), NOTHING, NOTHING)

    with pytest.raises(DeadlinePassed, match="to arrive, or to come back"):
        await play.negotiate()
