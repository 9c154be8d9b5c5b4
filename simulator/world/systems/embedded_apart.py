"""The embedded gateway in the seat, in pieces: each Edge Server and the front end as a process of its own.

Knows which process is which part, in which order they start, and how one of them is killed, stopped and started again.
Does not know what is inside.
"""

from __future__ import annotations

import asyncio
import atexit
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml

from simulator.journal import Journal
from simulator.world.addresses import Addresses
from simulator.world.systems.child import Child
from simulator.world.systems.embedded import GATEWAY_CAPABILITIES, package_version, sip_user
from simulator.world.systems.gateway_process import START, start_gateway
from simulator.world.systems.gateway_settings import configuration_words, edge_words, place_edges
from simulator.world.systems.remote_shell import SOCKET, RemoteShell
from simulator.world.systems.system import Seat, Surroundings, SystemFailed, SystemSettings
from simulator.world.teardown import surely
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import User

FRONT_END = "front end"
#: what a scenario calls the edge where there is one, or the first of several
EDGE = "edge"
APART_CAPABILITIES = GATEWAY_CAPABILITIES | {"processes", "several-edges", "cmdlets"}
_COMPUTER = re.compile(r"-ComputerName\s+(\S+)", re.IGNORECASE)
#: parts of the configuration that an edge has from the front end
_REPLICATED = ("domains", "former-domains", "partners")
_LINK_UP = "link up with "


class Part:
    """One process of the gateway: its command, and the one that runs now."""

    def __init__(self, name: str, says: str, *command: str) -> None:
        self.name, self.says, self.command = name, says, command
        self.child = Child(name.replace(" ", "-"))
        self.asked = False
        """Whether its end was asked for."""
        self.shell = RemoteShell(self.child.folder / SOCKET)

    async def start(self, file: Path) -> dict[str, tuple[str, int]]:
        """Start the process and give its sockets. Raises SettingsRefused or SystemFailed."""
        if self.child.ended.is_set():
            lines = self.child.console.read_bytes()
            await self.child.end()
            self.child = Child(self.name.replace(" ", "-"))
            # What it had said before belongs to its log.
            self.child.console.write_bytes(lines)
            # Variables of the shell died with the process.
            self.shell.close()
            self.shell = RemoteShell(self.child.folder / SOCKET)

        self.asked = False

        return await start_gateway(self.child, file, self.says, *self.command)

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return not self.asked and not self.child.ended.is_set()

    async def linked(self, count: int) -> None:
        """Return when a link has come up for the so many-th time."""
        pause = 0.005

        while self.links() < count:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def links(self) -> int:
        """How many times a link has come up, as its log says."""
        return sum(_LINK_UP in line for line in self.child.last_lines(10_000))


class EmbeddedApart:
    """The gateway in several processes. Deliberate defects cannot be seated there: rules are functions of ours."""

    name = "embedded-apart"
    capabilities = APART_CAPABILITIES
    shared = False

    def __init__(self, settings: SystemSettings) -> None:
        if settings.rules is not None:
            raise ValueError("deliberate defects can only be seated in the system 'embedded'")

        self._settings = settings
        self.died = asyncio.Event()
        self.cause_of_death = ""
        self.edges: dict[str, tuple[int, str, int]] = {}
        """FQDN of each edge -> priority among the SRV records of our domains, host and port; in that order."""
        self._parts: dict[str, Part] = {}
        self._listening: dict[str, tuple[str, int]] = {}
        self._taken: list[str] = []
        self._addresses: Addresses | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="s2sim-gateway-"))
        atexit.register(self._remove_folder)
        self._watches: dict[str, asyncio.Task[None]] = {}

    @property
    def version(self) -> str:
        """The version of this package."""
        return package_version()

    @property
    def domains(self) -> tuple[str, ...]:
        """Its own domains."""
        return self._settings.domains

    @property
    def listening(self) -> dict[str, tuple[str, int]]:
        """Its sockets: edge, link, sip, sips; of every edge but the first with ``@FQDN`` behind."""
        return self._listening

    def address_of(self, domain: str) -> tuple[str, int]:
        """Where partners reach it as long as the first edge runs: one port for all domains."""
        return self._listening["edge"]

    async def start(self, surroundings: Surroundings) -> None:
        """Write its file, start everything, and return when all links are up. Raises SettingsRefused, SystemFailed."""
        self._entropy, self._addresses = surroundings.entropy, surroundings.addresses

        try:
            words = configuration_words(self._settings, surroundings, self._place(EDGE))
            words["frontend"].setdefault("contacts", str(self._folder / "contacts.sqlite"))
            place_edges(words, self._place)
            self._file = self._folder / "gateway.yaml"
            self._write(words)

            await self._start_edges(list(edge_words(words)))
            self._write(words)
            self._parts[FRONT_END] = Part("front-end", "the front end", "--role", "front-end")
            self._listening |= await self._parts[FRONT_END].start(self._file)
            await self._await_links(dict.fromkeys(self.edges, 1))
        except BaseException:
            await surely(self.stop())
            raise

        for name in self._parts:
            self._watch(name)

    async def _start_edges(self, edges: list[tuple[int, dict[str, Any]]]) -> None:
        for _, edge in edges:
            name = edge["identity"] or EDGE
            which = ("--edge", name) if edge["identity"] else ()
            self._parts[name] = Part(name, f"the edge {name}", "--role", "edge", *which)

        started = await asyncio.gather(*(part.start(self._file) for part in self._parts.values()))

        for number, ((pool, edge), name, places) in enumerate(zip(edges, tuple(self._parts), started, strict=True)):
            # Any free port was asked for where hosts are not told apart by address: from now on it is this one.
            edge["edge"]["port"], edge["edge"]["link-port"] = places["edge"][1], places["link"][1]
            self.edges[name] = pool * 10, *places["edge"]
            behind = f"@{name}" if number else ""
            self._listening |= {f"{service}{behind}": place for service, place in places.items()}

    async def change(self, **parts: Any) -> None:
        """Set parts of the configuration anew, in the file and in every process that runs (SIGHUP)."""
        words = yaml.safe_load(self._file.read_text(encoding="utf-8"))
        self._write({**words, **parts})

        for part in self._parts.values():
            if part.runs:
                part.child.hang_up()

    async def stop(self) -> None:
        """End every process and remove its folder, also if cancelled; may be called at any time and again."""
        await surely(self._end())

    async def _end(self) -> None:
        for part in self._parts.values():
            part.asked = True

        # The front end first: whatever it still takes on could no longer leave through an edge.
        for name in sorted(self._parts, key=lambda name: name != FRONT_END):
            await self._parts[name].child.end()
            self._parts[name].shell.close()

        await asyncio.gather(*self._watches.values(), return_exceptions=True)
        self._remove_folder()

        for name in self._taken:
            assert self._addresses is not None
            self._addresses.give_back(name)

        self._taken.clear()

    def _remove_folder(self) -> None:
        atexit.unregister(self._remove_folder)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def shut_down(self) -> None:
        """Send SIGTERM to every process, front end first, and return when all have ended."""
        for name in sorted(self._parts, key=lambda name: name != FRONT_END):
            await self.stop_process(name)

    # -- processes

    async def kill_process(self, name: str) -> None:
        """Kill a process (SIGKILL): ``edge``, ``front end``, or the FQDN of one of several edges."""
        part = self._part(name)
        part.asked = True
        await part.child.kill()

    async def stop_process(self, name: str) -> None:
        """End a process in order, and return when it has ended."""
        part = self._part(name)
        part.asked = True
        await part.child.ask_to_end()

    async def start_process(self, name: str) -> None:
        """Start a process again; returns when it listens and its links are up. Raises SystemFailed."""
        part = self._part(name)
        before = {edge: self._parts[edge].links() for edge in self.edges if self._parts[edge].runs}
        await part.start(self._file)
        awaited = list(before) if part is self._parts[FRONT_END] else [part.name]

        if self._parts[FRONT_END].runs:
            await self._await_links({edge: before.get(edge, part.links()) + 1 for edge in awaited})

        self._watch(next(key for key, each in self._parts.items() if each is part))

    async def run_commands(self, text: str) -> list[tuple[str, str]]:
        """Type lines into the management shell, as `Embedded.run_commands`. Raises SystemFailed.

        A process knows its own services only: lines about those of an edge name it by ``-ComputerName``, and are typed
        in there. All others are for the front end; what they change has reached every edge that can be reached.
        """
        named = _COMPUTER.search(text)
        computer = named[1].lower() if named else FRONT_END

        said = await self._part(computer if computer in self.edges else FRONT_END).shell.type_in(text)

        try:
            async with asyncio.timeout(START):
                for edge in self.edges:
                    await self._replicated(edge)
        except TimeoutError:
            raise SystemFailed("\n".join([f"after {text!r} the edges do not follow", *self.log_lines(5)])) from None

        return said

    async def _replicated(self, name: str) -> None:
        """Wait until an edge has what the front end tells it, if both serve; a partner may find out before it has."""
        inside, outside = self._parts[FRONT_END], self._parts[name]

        while inside.runs and outside.runs:
            status, wanted = await inside.shell.look()
            seen, found = await outside.shell.look()
            link = next(link for link in status["links"] if link["edge"] == name)
            serving = "Stopped" not in [state for states in status["services"].values() for state in states.values()]

            # An edge that is stopped tells of no link.
            if not serving or not seen["links"]:
                return

            is_route = seen["links"][0]["route"] == link["route"]

            if link["up"] and is_route and all(wanted[part] == found[part] for part in _REPLICATED):
                return

            # Neither tells anybody when it is done: they can only be asked again.
            await asyncio.sleep(0.005)

    async def user(self, address: str, journal: Journal, habits: Habits = WRITES) -> User:
        """A SIP user agent that will register at the front end; not yet signed in."""
        return sip_user(self._listening["sip"], address, journal, habits, self._entropy)

    def log_lines(self, last: int = 40) -> list[str]:
        """The last lines of every process, one process after the other."""
        return [f"{part.name}: {line}" for part in self._parts.values() for line in part.child.last_lines(last)]

    def _part(self, name: str) -> Part:
        wanted = next(iter(self.edges)) if name == EDGE else name

        if wanted not in self._parts:
            raise SystemFailed(f"there is no process {name!r}; there are: {', '.join(self._parts)}")

        return self._parts[wanted]

    def _place(self, name: str) -> str:
        assert self._addresses is not None
        member = f"{self.name} {id(self)} {name}"
        self._taken.append(member)

        return self._addresses.take(member)

    def _write(self, words: dict[str, Any]) -> None:
        self._file.write_text(yaml.safe_dump(words, sort_keys=False, allow_unicode=True), encoding="utf-8")

    async def _await_links(self, counts: dict[str, int]) -> None:
        """Wait until the log of each of these edges tells of so many links."""
        try:
            async with asyncio.timeout(START):
                for name, count in counts.items():
                    await self._parts[name].linked(count)
        except TimeoutError:
            raise SystemFailed(
                "\n".join(["the links between the processes do not come up", *self.log_lines(5)])
            ) from None

    def _watch(self, name: str) -> None:
        self._watches[name] = asyncio.create_task(self._await_death(self._parts[name]))

    async def _await_death(self, part: Part) -> None:
        child = part.child
        await child.ended.wait()

        if not part.asked and part.child is child:
            why = f"{part.says} ended with status {child.status}"
            self.cause_of_death = "\n".join([why, *child.last_lines(10)])
            self.died.set()


SEAT = Seat(
    name="embedded-apart",
    says="the embedded gateway, each edge and the front end as a process of its own, fresh for each scenario",
    capabilities=APART_CAPABILITIES,
    shared=False,
    make=EmbeddedApart,
)
