"""Whole worlds: real gateways, real partners, real users, on loopback."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.document import parse_document
from simulator.journal import Entry, Journal
from simulator.runner.many import Played, play_all
from simulator.scenario import steps
from simulator.scenario.loader import read_scenarios
from simulator.scenario.model import Scenario, Step
from simulator.scenario.steps import Verb
from simulator.verdict import Outcome, Verdict, judge
from simulator.world.acts import table
from simulator.world.casting import plan
from simulator.world.seating import Seats
from simulator.world.stage import Seen, Stage
from simulator.world.systems.catalogue import seat
from simulator.world.world import World

HELLO = """
claim: They talk
steps:
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hello}
  - juliet@gmail.com receives a message: Hello
  - juliet@gmail.com sends a message: {to: alice@contoso.com, body: Hello back}
  - alice@contoso.com receives a message: Hello back
"""

needs_prosody = pytest.mark.skipif(not shutil.which("prosody"), reason="Prosody is not installed")


def read(text: str, identifier: str = "test/one") -> Scenario:
    (scenario,) = read_scenarios(parse_document(text, f"{identifier}.yaml"), identifier)

    return scenario


async def played(scenario: Scenario, system: str = "embedded", seed: int = 1) -> Journal:
    journals: list[Played] = []
    await play_all([scenario], Seats(seat(system), seed), on_played=journals.append)

    return journals[0].journal


async def verdict(text: str, system: str = "embedded") -> Verdict:
    scenario = read(text)

    return judge(scenario, (await played(scenario, system)).entries)


async def test_people_talk_both_ways() -> None:
    assert (await verdict(HELLO)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("sender", "receiver"), [("juliet@gmail.com", "alice@contoso.com"), ("alice@contoso.com", "juliet@gmail.com")]
)
async def test_a_message_breaks_the_claim_of_quiet(sender: str, receiver: str) -> None:
    came = await verdict(f"""
claim: It is quiet
steps:
  - {sender} sends a message: {{to: {receiver}, body: Surprise}}
  - {receiver} has received nothing
""")

    assert came.outcome is Outcome.FAIL
    assert "Surprise" in came.reason


@pytest.mark.parametrize("silent", ["alice@contoso.com", "juliet@gmail.com", "gmail.com"])
async def test_quiet_is_proven(silent: str) -> None:
    scenario = read(HELLO + f"  - {silent} has received nothing\n")
    journal = await played(scenario)

    assert judge(scenario, journal.entries).outcome is Outcome.PASS
    assert any(entry.kind == "barrier" for entry in journal.entries)


async def test_the_barrier_comes_back_from_a_partner_that_is_down() -> None:
    came = await verdict("""
claim: Nobody is there
partners:
  gmail.com: {profile: google-talk, listens: false}
steps:
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hello}
  - alice@contoso.com is refused
  - juliet@gmail.com has received nothing
""")

    assert came.outcome is Outcome.PASS, came.reason


async def test_a_stopped_system_comes_back_with_its_users() -> None:
    came = await verdict("""
claim: It comes back
steps:
  - the system starts
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Before}
  - juliet@gmail.com receives a message: Before
  - the system stops
  - the system starts
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: After}
  - juliet@gmail.com receives a message: After
""")

    assert came.outcome is Outcome.PASS, came.reason


async def test_the_link_goes_down_and_comes_up() -> None:
    came = await verdict("""
claim: The link matters
steps:
  - the system link goes down
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Lost}
  - alice@contoso.com is refused
  - the system link comes up
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Heard}
  - juliet@gmail.com receives a message: Heard
""")

    assert came.outcome is Outcome.PASS, came.reason


async def test_signing_out_makes_unreachable() -> None:
    came = await verdict("""
claim: Nobody is at home
steps:
  - alice@contoso.com signs in
  - alice@contoso.com signs out
  - juliet@gmail.com sends a message: {to: alice@contoso.com, body: Anybody}
  - juliet@gmail.com is refused
  - alice@contoso.com signs in
  - juliet@gmail.com sends a message: {to: alice@contoso.com, body: Hello}
  - alice@contoso.com receives a message: Hello
""")

    assert came.outcome is Outcome.PASS, came.reason


def said(journal: Journal) -> list[str]:
    """What went over the partner's streams, and what reached people: all that a seed decides."""
    return sorted(
        str(entry.data)
        for entry in journal.entries
        if (entry.kind in ("sent", "received") and entry.actor == "gmail.com") or entry.kind == "delivered"
    )


async def test_the_same_seed_gives_the_same_run() -> None:
    scenario = read(HELLO)
    first, again, other = [said(await played(scenario, seed=seed)) for seed in (5, 5, 6)]

    assert first == again
    assert first != other


def queries(journal: Journal) -> list[Entry]:
    return [entry for entry in journal.entries if entry.kind == "query"]


@needs_prosody
async def test_scenarios_that_share_a_system_do_not_meet() -> None:
    scenarios = [read(HELLO + "  - juliet@gmail.com has received nothing\n", f"test/{number}") for number in range(4)]
    done: list[Played] = []
    await play_all(scenarios, Seats(seat("prosody")), jobs=4, on_played=done.append)

    for one in done:
        found = judge(one.scenario, one.journal.entries)
        own = one.journal.entries[0].data["cast"]["gmail.com"]

        assert found.outcome is Outcome.PASS, found.reason
        assert queries(one.journal)
        assert all(entry.data["name"].endswith(own) for entry in queries(one.journal))


def children() -> set[int]:
    found = set()

    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int((process / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(process.name))
        except (FileNotFoundError, ProcessLookupError):
            continue

    return found


@pytest.fixture
def harmful() -> Iterator[None]:
    """A verb of ours, as a plug-in would bring it: it sends a signal to the process of the system."""

    async def is_harmed(stage: Stage, step: Step) -> Seen:
        (process,) = children() - before
        os.kill(process, int(step.argument))

        return Seen()

    before = children()
    verb = Verb(name="is harmed", actors=("system",), says="", example="", argument="required")
    steps.register([verb])
    table.register({verb.name: is_harmed})

    yield

    del steps.VERBS[verb.name], table.ACTS[verb.name]
    assert children() == before


async def harmed(how: int, within: float) -> Verdict:
    """Play on a gateway that is a process, and send that process a signal once both have spoken."""
    harm = f"  - the system is harmed: {how}\n"
    never = f"  - juliet@gmail.com receives a message: Never\n    within: {within}\n"
    text = HELLO.replace("steps:\n", "steps:\n  - the system starts\n") + harm + never

    return await verdict(text, "embedded-process")


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this platform has no /proc")


@needs_proc
async def test_a_killed_system_fails_with_the_reason(harmful: None) -> None:
    found = await harmed(signal.SIGKILL, 10.0)

    assert found.outcome is Outcome.FAIL
    assert re.search(r"the system (died|failed).*-?9", found.reason), found.reason


@needs_proc
async def test_a_hanging_system_fails_and_is_ended(harmful: None) -> None:
    found = await harmed(signal.SIGSTOP, 0.3)

    assert found.outcome is Outcome.FAIL
    assert "nothing arrived" in found.reason


async def test_a_world_is_up_in_a_moment() -> None:
    scenario, seats, taken = read(HELLO), Seats(seat("embedded")), []

    for _ in range(15):
        began = time.perf_counter()

        async with World(scenario, plan(scenario, 1, shared=False), seats, Journal(time.monotonic)):
            taken.append(time.perf_counter() - began)

    await seats.close()

    # Ten times what it is to take: speed is for the benchmark, this is about waiting for something in vain.
    assert min(taken) < 0.25


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ("", {"gmail.com"}),
        ("settings: {}\n", set()),
        ("settings: {other.example: {tls: optional}}\n", {"other.example"}),
    ],
)
def test_the_settings_say_who_is_allowed(settings: str, allowed: set[str]) -> None:
    assert set(plan(read(HELLO + settings), 1, shared=False).settings.partners) == allowed


def test_fresh_names_reach_everything() -> None:
    planned = plan(read(HELLO), 1, shared=True)
    real: Callable[[str], str] = planned.real

    assert real("gmail.com") not in ("", "gmail.com")
    assert list(planned.settings.partners) == [real("gmail.com")]
    assert planned.settings.partners[real("gmail.com")]["additional"] == [real("googlemail.com")]
    assert real("contoso.com") == "contoso.com"
    assert real("alice@contoso.com") in planned.settings.users
    assert real("notgmail.com") == "notgmail.com"
