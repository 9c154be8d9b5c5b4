"""What time and lost streams do to presence (RFC 6121 §4.3.1; SubscriptionRefreshInterval)."""

from __future__ import annotations

from simulator.gateway.access.partner_types import Action
from simulator.gateway.contacts.notices import Seen
from simulator.gateway.contacts.settings import HomeSettings
from simulator.xmpp.address import parse_address
from simulator.xmpp.subscription import State
from tests.gateway.contacts.stage import ALICE, BOB, HERE, ROMEO, Stage

ORCHARD = "romeo@far.example/orchard"
PROBE = "probe alice@contoso.com > romeo@far.example"
ELSEWHERE = parse_address("nurse@elsewhere.example")


def stage_with_presence() -> Stage:
    stage = Stage(settings=HomeSettings(refresh_interval=100.0, answer_time=5.0))
    stage.online("desk")
    stage.set_state(State.BOTH)
    stage.presence(sender=ORCHARD)
    stage.clear()

    return stage


def pass_time(stage: Stage, seconds: float) -> None:
    for _ in range(round(seconds * 2)):
        stage.now += 0.5
        stage.home.expire(stage.now)


def test_presence_that_was_not_refreshed_is_asked_for_and_void_without_an_answer() -> None:
    stage = stage_with_presence()
    pass_time(stage, 98)

    assert stage.brief() == []

    pass_time(stage, 3)

    assert stage.brief() == [PROBE]
    assert list(stage.home.seen(ALICE, ROMEO)) == ["orchard"]

    pass_time(stage, 6)

    assert stage.home.seen(ALICE, ROMEO) == {}
    assert stage.told() == [Seen(ALICE, ROMEO, "orchard", None)]
    assert stage.brief() == []

    # The subscription stands, and is asked about again.
    assert stage.state() is State.BOTH

    pass_time(stage, 101)

    assert stage.brief() == [PROBE]


def test_presence_that_answers_the_question_stays() -> None:
    stage = stage_with_presence()
    stage.presence(sender="romeo@far.example/home")
    pass_time(stage, 101)
    stage.presence(sender=ORCHARD)
    stage.clear()
    pass_time(stage, 6)

    assert list(stage.home.seen(ALICE, ROMEO)) == ["orchard"]
    assert stage.told() == [Seen(ALICE, ROMEO, "home", None)]


def test_presence_that_keeps_coming_is_not_asked_for() -> None:
    stage = stage_with_presence()

    for _ in range(5):
        pass_time(stage, 90)
        stage.presence(sender=ORCHARD)

    assert stage.brief() == []


def test_a_lost_domain_voids_what_was_seen_of_it() -> None:
    stage = stage_with_presence()
    stage.set_state(State.TO, contact=ELSEWHERE)
    stage.presence(sender="nurse@elsewhere.example/x")
    stage.clear()
    stage.home.domain_lost("far.example", stage.now)

    assert stage.told() == [Seen(ALICE, ROMEO, "orchard", None)]
    assert stage.home.seen(ALICE, ROMEO) == {}
    assert list(stage.home.seen(ALICE, ELSEWHERE)) == ["x"]
    assert stage.brief() == []


def test_a_domain_that_is_back_is_asked_and_shown() -> None:
    stage = stage_with_presence()
    stage.home.domain_lost("far.example", stage.now)
    stage.clear()
    stage.home.domain_back("far.example", stage.now)

    assert stage.brief() == [PROBE, "available alice@contoso.com/desk > romeo@far.example"]


def test_who_left_while_a_domain_was_lost_is_offline_there_too() -> None:
    stage = stage_with_presence()
    stage.set_state(State.FROM, BOB)
    stage.home.domain_lost("far.example", stage.now)
    stage.now += 1
    stage.home.unavailable(ALICE, "desk", None, stage.now)
    stage.clear()
    stage.home.domain_back("far.example", stage.now)
    (stanza,) = stage.sent()

    assert stanza.startswith("<presence from='alice@contoso.com' to='romeo@far.example' id='")
    assert stanza.endswith("type='unavailable'/>")


def test_a_restart_asks_for_everything_anew() -> None:
    stage = stage_with_presence()
    again = Stage(store=stage.store)

    assert again.home.seen(ALICE, ROMEO) == {}

    again.home.available(ALICE, "desk", HERE, again.now)

    assert again.brief() == ["available alice@contoso.com/desk > romeo@far.example", PROBE]


def test_who_was_online_when_the_process_was_killed_is_offline_afterwards() -> None:
    stage = stage_with_presence()
    stage.set_state(State.FROM, BOB)
    again = Stage(store=stage.store)
    again.home.open()
    again.home.link_back(again.now)
    (stanza,) = again.sent()

    assert stanza.startswith("<presence from='alice@contoso.com' to='romeo@far.example' id='")
    assert stanza.endswith("type='unavailable'/>")

    again.home.link_back(again.now)

    assert again.brief() == []
    assert again.store.online() == set()


def test_devices_that_were_left_behind_are_gone_before_those_that_are_here_are_shown() -> None:
    stage = stage_with_presence()
    again = Stage(store=stage.store)
    again.home.open()
    again.online("desk")
    again.home.link_back(again.now)

    assert again.brief() == [
        "unavailable alice@contoso.com > romeo@far.example",
        "probe alice@contoso.com > romeo@far.example",
        "available alice@contoso.com/desk > romeo@far.example",
    ]
    assert again.store.online() == {ALICE}

    again.home.unavailable(ALICE, "desk", None, again.now)

    assert again.store.online() == set()


def test_a_gate_that_closes_ends_what_is_seen_and_one_that_opens_begins_it() -> None:
    stage = stage_with_presence()
    stage.gates.outbound_is_closed = True
    stage.home.reconsider(stage.now)

    assert stage.brief() == ["unavailable alice@contoso.com > romeo@far.example"]
    assert stage.told() == [Seen(ALICE, ROMEO, "orchard", None)]
    assert stage.home.seen(ALICE, ROMEO) == {}

    stage.home.reconsider(stage.now)
    stage.presence(sender=ORCHARD)

    assert stage.brief() == []
    assert stage.told() == []

    stage.gates.outbound_is_closed = False
    stage.home.reconsider(stage.now)

    assert stage.brief() == ["available alice@contoso.com/desk > romeo@far.example", PROBE]

    stage.home.reconsider(stage.now)

    assert stage.brief() == []


def test_a_partner_that_is_trusted_less_sees_less() -> None:
    stage = Stage()
    stage.online("desk")
    stage.gates.prompts = False
    stage.presence("subscribe")
    stage.gates.stopped = {Action.SEE}
    stage.home.reconsider(stage.now)

    assert stage.brief() == ["unavailable alice@contoso.com > romeo@far.example"]


def test_a_user_may_ask_for_presence_at_any_time() -> None:
    stage = stage_with_presence()
    stage.home.probe(ALICE, ROMEO, stage.now)
    stage.home.probe(BOB, ROMEO, stage.now)

    assert stage.brief() == [PROBE]


def test_a_probe_that_fails_is_reported() -> None:
    stage = stage_with_presence()
    stage.home.probe(ALICE, ROMEO, stage.now)
    (probe,) = stage.sent()
    identifier = probe.partition("id='")[2].partition("'")[0]
    stage.receive(
        f"<presence from='romeo@far.example' to='alice@contoso.com' id='{identifier}' type='error'>"
        "<error type='modify'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:r@x.example</gone></error>"
        "</presence>"
    )

    assert [(each.type, each.condition) for each in stage.told()] == [("probe", "gone")]  # type: ignore[union-attr]
    assert stage.state() is State.BOTH
