"""A small system that is none: people in one room, in memory. Enough to see what the runner does with any system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator.document import parse_document
from simulator.journal import Journal
from simulator.scenario.loader import read_scenarios
from simulator.scenario.model import Scenario
from simulator.world.seating import Seats
from simulator.world.systems.system import Seat, SettingsRefused, Surroundings, SystemFailed, SystemSettings
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import ACCEPTED, MESSAGE, REFUSAL, Inbox


@dataclass
class Room:
    """One instance, and what it shall do wrongly."""

    settings: SystemSettings
    shared: bool
    fails: str = ""
    name: str = "room"
    version: str = "1.0"
    capabilities: frozenset[str] = frozenset({"several-domains"})
    died: asyncio.Event = field(default_factory=asyncio.Event)
    cause_of_death: str = ""
    users: dict[str, Occupant] = field(default_factory=dict)
    running: bool = False

    @property
    def domains(self) -> tuple[str, ...]:
        return self.settings.domains

    @property
    def listening(self) -> dict[str, tuple[str, int]]:
        return {}

    def address_of(self, domain: str) -> tuple[str, int]:
        return "127.0.0.1", 9

    async def start(self, surroundings: Surroundings) -> None:
        if self.fails == "start":
            raise SystemFailed("the room is locked\nlast words")

        if self.fails == "settings":
            raise SettingsRefused("no such room")

        if self.fails == "harness":
            raise OSError(98, "Address already in use")

        self.running = True

    async def stop(self) -> None:
        self.running = False

        if self.fails == "stop":
            raise RuntimeError("the door is stuck")

    async def shut_down(self) -> None:
        await self.stop()

    async def user(self, address: str, journal: Journal, habits: Habits = WRITES) -> Any:
        """An Occupant, who can do what the scenarios here need, and no more."""
        self.users[address] = Occupant(self, address, Inbox(journal, address))

        return self.users[address]

    def log_lines(self, last: int = 40) -> list[str]:
        return ["somebody spoke"]


@dataclass
class Occupant:
    room: Room
    address: str
    inbox: Inbox

    async def sign_in(self, device: str) -> None:
        if self.room.fails == "sign-in":
            raise ConnectionError("the room is full")

    async def sign_out(self) -> None:
        pass

    async def send_message(self, to: str, body: str, *, id: str, **_: Any) -> None:  # noqa: A002
        if self.room.fails == "hang":
            await asyncio.get_running_loop().create_future()

        if self.room.fails == "die":
            self.room.cause_of_death = "the roof came down"
            self.room.died.set()
            await asyncio.get_running_loop().create_future()

        if self.room.fails == "bug":
            raise ZeroDivisionError("a bug of ours")

        # Only those who were admitted are in the room; everybody else is nobody.
        if to not in self.room.users:
            self.inbox.arrived(REFUSAL, id=id, conditions=["item-not-found"], type="cancel")
        elif self.room.fails != "lose":
            self.room.users[to].inbox.arrived(MESSAGE, **{"from": self.address}, to=to, body=body, id=id)
            self.inbox.arrived(ACCEPTED, id=id)


class Rooms:
    """Makes seats, and remembers every room that was made."""

    def __init__(self) -> None:
        self.made: list[Room] = []

    def seat(self, *, shared: bool = False, fails: str = "") -> Seat:
        def make(settings: SystemSettings) -> Room:
            self.made.append(Room(settings, shared, fails))
            return self.made[-1]

        return Seat(
            name="room",
            says="people in memory",
            capabilities=frozenset({"several-domains"}),
            shared=shared,
            make=make,
            sharing_key=lambda settings: "one for all",
        )


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
async def seats_of() -> AsyncIterator[Callable[[Seat], Seats]]:
    opened: list[Seats] = []

    def make(seat: Seat, seed: int = 1) -> Seats:
        opened.append(Seats(seat, seed))
        return opened[-1]

    yield make

    for seats in opened:
        await seats.close()


@pytest.fixture
def written() -> Callable[..., Scenario]:
    def read(text: str, identifier: str = "test/one") -> Scenario:
        (scenario,) = read_scenarios(parse_document(text, f"{identifier}.yaml"), identifier)
        return scenario

    return read


@pytest.fixture
def talk(written: Callable[..., Scenario]) -> Scenario:
    return written("""
claim: Two people talk
partners: {}
steps:
  - alice@contoso.com sends a message: {to: bob@contoso.com, body: Hello}
  - bob@contoso.com receives a message: {from: alice@contoso.com, body: Hello}
  - alice@contoso.com is accepted
""")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that nobody else uses."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))

    return folder
