"""The steps about partners, streams and names, played on a stage whose system is another partner."""

import random
from types import SimpleNamespace
from typing import Any

import dns.message
import pytest

from simulator.document import parse_document
from simulator.journal import Journal
from simulator.scenario.loader import read_scenarios
from simulator.verdict import Outcome, judge_step
from simulator.world.acts.table import perform
from simulator.world.stage import PATIENCE, DeadlinePassed, Stage, Unreached
from simulator.xmpp.element import parse_element
from tests.world.acts.playing import play_all, set_up

HEAD = "claim: A test\ndeadline: 1\n"


async def play(town: Any, steps: str, head: str = "") -> tuple[Stage, dict[str, str]]:
    """Play steps; returns the stage and, by sentence, the reasons of steps that were not fulfilled."""
    text = f"{HEAD}{head}\nsteps:\n" + "\n".join(f"  - {line.strip()}" for line in steps.strip().splitlines())
    scenario = read_scenarios(parse_document(text), "test")[0]
    system = await town.partner("contoso.com")
    system.add_user("alice@contoso.com", town.mail.put_nowait)
    world: Any = SimpleNamespace(name_server=town.names, control_user=lambda domain: control(system))
    stage = await set_up(town, scenario, world)

    return stage, await play_all(stage, system)


async def control(system: Any) -> Any:
    async def send_message(to: str, body: str, *, id: str) -> None:  # noqa: A002
        system.send_stanza(parse_element(f"<message from='control@contoso.com' to='{to}' id='{id}'/>"))

    return SimpleNamespace(send_message=send_message)


async def test_a_key_is_offered_verified_and_denied(town: Any) -> None:
    _, wrong = await play(
        town,
        """
        gmail.com connects
        gmail.com receives a header: {from: contoso.com, to: gmail.com, version: '1.0', id: '{id}'}
        gmail.com receives features: ["<dialback xmlns='urn:xmpp:features:dialback'>...</dialback>"]
        gmail.com offers a dialback key
        gmail.com is asked to verify: <db:verify from='contoso.com' to='gmail.com' id='{id}'>{offered-key}</db:verify>
        gmail.com receives: <db:result from='contoso.com' to='gmail.com' type='invalid'/>
        gmail.com is disconnected: {closing-tag: true}
        """,
        "partners:\n  gmail.com: {profile: google-talk, quirks: [denies-every-key]}",
    )

    assert wrong == {}


async def test_authentication_goes_all_the_way(town: Any) -> None:
    stage, wrong = await play(
        town,
        """
        gmail.com is authenticated
        gmail.com sends: <message from='juliet@gmail.com' to='alice@contoso.com' id='{stream-id}'/>
        gmail.com stays connected
        gmail.com has received nothing
        gmail.com closes the stream
        gmail.com is disconnected: {condition: null, closing-tag: true}
        """,
    )

    assert wrong == {}
    assert (await town.mail.get()).get("id") == stage.captures["stream-id"]
    assert [entry.data for entry in town.entries("barrier", "gmail.com")][:1] == [{"by": "db:verify"}]


async def test_users_write_on_the_authenticated_stream(town: Any) -> None:
    stage, _ = await play(town, "gmail.com is authenticated")
    opened = len(town.entries("opened", "contoso.com"))
    stage.partners["gmail.com"].send_stanza(parse_element("<message from='juliet@gmail.com' to='alice@contoso.com'/>"))

    assert await town.mail.get() is not None
    assert len(town.entries("opened", "contoso.com")) == opened


async def test_verification_waits_for_the_step_that_answers(town: Any) -> None:
    _, wrong = await play(
        town,
        """
        gmail.com connects as one
        gmail.com on one offers a dialback key: {key: wrong}
        gmail.com is asked to verify
        gmail.com answers verification: {type: valid, id: another}
        gmail.com on one stays connected
        """,
    )

    assert wrong == {}
    said = "".join(entry.data["text"] for entry in town.entries("sent", "gmail.com"))
    assert 'id="another" type="valid"' in said


@pytest.mark.parametrize(
    ("argument", "answer"),
    [("valid", "type='valid'"), ("invalid", "type='invalid'"), ("remote-connection-failed", "type='error'")],
)
async def test_a_step_answers_the_verification(town: Any, argument: str, answer: str) -> None:
    _, wrong = await play(
        town,
        f"""
        gmail.com connects
        gmail.com offers a dialback key: {{key: wrong}}
        gmail.com answers verification: {argument}
        gmail.com receives: <db:result from='contoso.com' to='gmail.com' {answer}>...</db:result>
        """,
    )

    assert wrong == {}


async def test_a_stream_of_the_system_is_taken_over(town: Any) -> None:
    _, wrong = await play(
        town,
        """
        alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hi}
        gmail.com accepts a stream as out: {version: null}
        gmail.com on out receives a header: {from: contoso.com, to: gmail.com}
        gmail.com on out receives: <db:result from='contoso.com' to='gmail.com'>{key}</db:result>
        gmail.com connects
        gmail.com sends: <db:verify from='gmail.com' to='contoso.com' id='x'>{key}</db:verify>
        gmail.com receives: <db:verify from='contoso.com' to='gmail.com' id='x' type='invalid'/>
        gmail.com on out sends: <db:result from='gmail.com' to='contoso.com' type='valid'/>
        gmail.com on out receives: <message from='alice@contoso.com' to='juliet@gmail.com'/>
        gmail.com on out stays connected
        """,
    )

    assert wrong == {}


async def test_headers_and_bytes_are_the_scenarios(town: Any) -> None:
    _, wrong = await play(
        town,
        """
        gmail.com connects as one: {version: null}
        gmail.com on one receives features: none
        gmail.com connects as two: {to: elsewhere.example}
        gmail.com on two is disconnected: host-unknown
        gmail.com opens a connection as three
        gmail.com on three sends bytes: {text: "<stream:stream xmlns='jabber:server' xmlns:stream='", split: 1}
        gmail.com on three sends bytes: "http://etherx.jabber.org/streams'"
        gmail.com on three sends bytes: {hex: "3e"}
        gmail.com on three receives a header: {xmlns: jabber:server}
        gmail.com on three sends bytes: {text: "<message></presence>"}
        gmail.com on three is disconnected: not-well-formed
        gmail.com connects as four
        gmail.com on four drops the connection: reset
        """,
    )

    assert wrong == {}


async def test_what_differs_is_said(town: Any) -> None:
    _, wrong = await play(
        town,
        """
        gmail.com connects
        gmail.com receives a header: {from: elsewhere.example}
        gmail.com offers a dialback key
        gmail.com receives: <db:result from='contoso.com' to='gmail.com' type='invalid'/>
        """,
    )

    assert len(wrong) == 2


async def test_a_deadline_is_a_finding(town: Any) -> None:
    with pytest.raises(DeadlinePassed, match="an element"):
        await play(town, "gmail.com connects\ngmail.com receives: <message/>")


async def test_a_stream_that_nobody_opened_is_unreached(town: Any) -> None:
    with pytest.raises(Unreached, match="no stream"):
        await play(town, "gmail.com receives: <message/>")


async def test_a_refused_connection_is_seen(town: Any) -> None:
    town.names.publish("_xmpp-server._tcp.gone.example SRV 1 0 5269 gone.example\ngone.example A 127.0.0.1")
    _, wrong = await play(town, "gmail.com connects: {domain: nowhere.example}")

    assert "nowhere.example" in "".join(wrong.values())


async def test_names_are_published_asked_and_made_to_fail(town: Any) -> None:
    await town.names.start()

    try:
        _, wrong = await play(
            town,
            """
            DNS publishes: "_xmpp-server._tcp.gmail.com SRV 1 0 {port of gmail.com} far.gmail.com"
            DNS publishes: {far.gmail.com: ["A {address of gmail.com}"]}
            DNS withdraws: alt1.xmpp-server.l.google.com
            DNS answers: {far.gmail.com: {fault: servfail, times: 1}}
            DNS is not asked: gmail.com A
            gmail.com is not contacted
            """,
        )
        gmail = town.partners[1]
        record = list(town.names.respond(_question("FAR.gmail.com", "A"), "udp"))
        _, more = await play_names(town, gmail)
    finally:
        await town.names.stop()

    assert (wrong, more) == ({}, {})
    assert record
    assert town.names.service("gmail.com") == [(gmail.host, gmail.port)]
    assert [query.rcode for query in town.names.history][:1] == ["SERVFAIL"]


async def play_names(town: Any, gmail: Any) -> tuple[Any, dict[str, str]]:
    scenario = read_scenarios(parse_document(f"{HEAD}steps:\n  - DNS is asked: far.gmail.com A"), "names")[0]
    world: Any = SimpleNamespace(name_server=town.names)
    stage = Stage(scenario, world, town.journal, {}, random.Random(1), {"gmail.com": gmail})
    town.names._journal_for = lambda name: town.journal
    list(town.names.respond(_question("far.gmail.com", "A"), "udp"))
    seen = await perform(stage, scenario.steps[0])

    return stage, {} if judge_step(scenario.steps[0], {"seen": seen.data}, {}).outcome is Outcome.PASS else {
        "": "asked"
    }


def _question(name: str, kind: str) -> bytes:
    return bytes(dns.message.make_query(name, kind).to_wire())


async def test_a_stream_is_taken_over_after_a_verification(town: Any) -> None:
    _, wrong = await play(
        town,
        """
        gmail.com is authenticated as in
        alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hi}
        gmail.com accepts a stream as out
        gmail.com on out receives: <db:result from='contoso.com' to='gmail.com'>...</db:result>
        """,
    )

    assert wrong == {}


async def test_what_another_scenario_was_told_of_the_same_name_server_is_no_question_taken(town: Any) -> None:
    scenario = read_scenarios(parse_document(f"{HEAD}steps: [{{'DNS is asked': gmail.com A}}]"), "test")[0]
    world: Any = SimpleNamespace(name_server=town.names)

    for _ in range(20):
        # The journal of the one before is gone, and this one may lie where that one lay.
        stage = Stage(scenario, world, Journal(lambda: 0.0), {}, random.Random(1))
        number = stage.journal.record("query", "dns", name="gmail.com", type="A", transport="udp")

        assert (await perform(stage, scenario.all_steps[0])).consumed == (number,)

    with pytest.raises(DeadlinePassed):
        await perform(stage, scenario.all_steps[0])


def test_a_short_deadline_is_for_what_is_claimed_and_not_for_its_preconditions() -> None:
    text = f"{HEAD}given: [gmail.com connects]\nsteps:\n  - {{gmail.com receives: <a/>}}\n"
    text += "  - {gmail.com receives: <b/>, within: 0.2}\n  - juliet@gmail.com has received nothing\n"
    scenario = read_scenarios(parse_document(text), "test")[0]
    stage = Stage(scenario, SimpleNamespace(), Journal(lambda: 0.0), {}, random.Random(1))  # type: ignore[arg-type]

    assert [stage.deadline(step) for step in scenario.all_steps] == [PATIENCE, 1, 0.2, PATIENCE]
