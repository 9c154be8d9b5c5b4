"""Measures speed and memory: ``python -m tests.bench [--quick]``, from the root of the repository.

How to read the table. Every figure is a median over rounds, with the smallest and the largest in brackets. The gateway
and Prosody are processes of their own on this machine, and are measured in turn, round by round, in one run; both face
the same peers: raw, cheap ones, that send bytes prepared before and scan what comes for ids. So only the ratios say
something: they are those of one round, where the machine was equally busy for both. Messages are counted exactly by
their ids, 1000 under way at once, to and from 16 users, each on a connection of its own; the gateway has at most one of
them under way to each SIP user (RFC 3428 §8) and answers each that a user wrote, Prosody has no such duties. A new
stream is: connection, headers, key, verification by the system on a connection of its own, answer; 16 at once, each
from a domain that is new. "CPU" is the processor time of the system's process alone; where it is busy for nearly all of
the wall time, one core is what limits it. TLS handshakes are mutual and come one after the other; the program
`openssl s_time` dials the simulator's TLS and, in the second column, `openssl s_server`. Nothing is judged: the exit
code tells only whether it could be measured. "MISSED" is a target of the design.

"contacts" is about the gateway alone: the time from the first byte of a PUBLISH until the partner has the presence for
each of 1000 contacts, by its number; that from the start of the process until it is ready, with a file of contacts; and
what it then holds. A stream that is kept counts together with the gateway's own connection that verified its key.

--quick takes fewer of everything, for a first look. --profile FILE lets cProfile look into the gateway, which then is
about half as fast: then only the profile is worth anything (``python -m pstats FILE``).
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from simulator.world.systems.prosody import installed
from simulator.world.systems.system import NotInstalled
from tests.bench.contacts import fan_out, restored, streams
from tests.bench.exchange import Exchange, Measured
from tests.bench.handshakes import both_ends_ours, dialled_by_s_time, papers, s_server_dialled_by_s_time
from tests.bench.seats import GatewayProcess, Ground, ProsodyProcess, Seated, resident_megabytes
from tests.bench.streams import new_streams
from tests.bench.table import Row, against, show, spread
from tests.bench.worlds import bring_up, dialback_scenarios, negotiation_scenarios, play, play_in

JOBS = (1, 4, 16, 32)
PROCESSES = (1, 2)
#: What `s2sim run` gives to each process.
PROCESS_JOBS = 16
PARTS = ("worlds", "tls", "messages", "streams", "memory", "contacts")


@dataclass(frozen=True)
class Amounts:
    """How much of everything."""

    worlds: int = 60
    plays: int = 400
    rounds: int = 3
    messages: int = 10000
    streams: int = 400
    memory: int = 100_000
    handshake_seconds: int = 4
    told: int = 1000
    contacts: int = 10_000
    kept_streams: int = 500


QUICK = Amounts(
    worlds=20, plays=120, rounds=2, messages=3000, streams=150, memory=10_000, handshake_seconds=2, kept_streams=100
)


@dataclass
class Figures:
    """What was measured of one system."""

    inward: list[Measured] = field(default_factory=list)
    outward: list[Measured] = field(default_factory=list)
    streams: list[Measured] = field(default_factory=list)
    memory_after: dict[str, float] = field(default_factory=dict)


async def _measure_simulator(amounts: Amounts) -> list[Row]:
    """Bring-up and scenarios."""
    await bring_up(3)
    found = [seconds * 1000 for seconds in await bring_up(amounts.worlds)]
    rows = [Row("world up, ms", spread(found, 1), target="<= 25 ms", met=median(found) <= 25)]
    scenarios = dialback_scenarios()
    # Few at a time spend their time waiting for what must not happen: there a few plays tell enough.
    played = {jobs: await play(scenarios, jobs, min(amounts.plays, 50 * jobs)) for jobs in JOBS}
    best = max(played, key=lambda jobs: played[jobs].rate)
    all_rates = ", ".join(f"{jobs}: {each.rate:.0f}" for jobs, each in played.items())
    rows.append(Row("dialback scenarios/s, 1 job", f"{played[1].rate:.0f}"))
    enough = played[best].rate >= 50
    rows.append(
        Row(f"dialback scenarios/s, {best} jobs", f"{played[best].rate:.0f} ({all_rates})", "", "", ">= 50/s", enough)
    )
    rows.append(Row("  CPU, ms each", f"{played[best].microseconds / 1000:.1f}"))

    for what, some, least in (("dialback", scenarios, 50), ("TLS", negotiation_scenarios(), 30)):
        for processes in PROCESSES:
            one = await play_in(processes, some, PROCESS_JOBS * processes, amounts.plays)
            cost = f"{one.microseconds / 1000:.1f} ms CPU each"
            # The target is for two cores.
            met = one.rate >= least if processes == 2 else None
            target = f">= {least}/s" if processes == 2 else ""
            rows.append(Row(f"{what} scenarios/s, processes: {processes}", f"{one.rate:.0f}", cost, "", target, met))

    return rows


async def _measure_handshakes(amounts: Amounts) -> list[Row]:
    """TLS with both ends ours, and with one end the openssl program's."""
    what, seconds = "TLS handshakes/s, mutual, P-256", amounts.handshake_seconds
    ours, dialled, theirs = [], [], []

    with papers() as own:
        for _ in range(amounts.rounds):
            ours.append(await both_ends_ours(own, seconds))

            if shutil.which("openssl") is not None:
                dialled.append(await dialled_by_s_time(own, seconds))
                theirs.append(await s_server_dialled_by_s_time(own, seconds))

    rows = [Row(what, spread(ours))]

    if theirs:
        ratio = median([mine / other for mine, other in zip(dialled, theirs, strict=True)])
        said = f"{spread(theirs)} s_server"
        rows.append(Row("  dialled by openssl s_time -new", spread(dialled), said, f"{ratio:.2f}"))

    return rows


async def _measure_systems(amounts: Amounts, parts: Sequence[str], profile: Path | None) -> list[Row]:
    """The gateway beside Prosody, round by round; then the gateway's memory."""
    ground = Ground()
    await ground.start()
    domains = [f"d{number}.example" for number in range(amounts.streams * amounts.rounds)]
    gateway = GatewayProcess(domains, profile)
    prosody = _prosody()
    seated: list[Seated] = [gateway, *([prosody] if prosody else [])]
    figures = {one.name: Figures() for one in seated}

    try:
        await gateway.start(ground)

        if prosody is not None:
            await prosody.start(ground)

        await _measure_rounds(amounts, parts, ground, seated, figures)
        flat = await _memory(gateway, ground, amounts.memory) if "memory" in parts else []
    finally:
        for one in seated:
            await one.stop()

        ground.stop()

    return [*_rows(figures["gateway"], figures.get("prosody", Figures())), *flat]


async def _measure_contacts(amounts: Amounts) -> list[Row]:
    """Presence, contacts and streams of the gateway alone."""
    ground = Ground()
    await ground.start()

    try:
        return [
            *await streams(ground, amounts.kept_streams),
            *await restored(ground, amounts.contacts, amounts.rounds),
            *await fan_out(ground, amounts.told, amounts.rounds * 10),
        ]
    finally:
        ground.stop()


def _prosody() -> ProsodyProcess | None:
    try:
        installed()
    except NotInstalled as missing:
        print(f"{missing}\n")
        return None

    return ProsodyProcess()


async def _measure_rounds(
    amounts: Amounts, parts: Sequence[str], ground: Ground, seated: list[Seated], figures: dict[str, Figures]
) -> None:
    exchanges = {one.name: Exchange(one, ground) for one in seated}

    for one in seated:
        figures[one.name].memory_after["the start"] = resident_megabytes(one.pid)

    if "messages" in parts:
        for one in seated:
            ground.names.places["contoso.example"] = one.place
            await exchanges[one.name].open()

        for _ in range(amounts.rounds):
            for one in seated:
                figures[one.name].inward.append(await exchanges[one.name].inward(amounts.messages))

            for one in seated:
                figures[one.name].outward.append(await exchanges[one.name].outward(amounts.messages))

        for one in seated:
            figures[one.name].memory_after["messages"] = resident_megabytes(one.pid)
            exchanges[one.name].close()

    for number in range(amounts.rounds if "streams" in parts else 0):
        new = [f"d{number * amounts.streams + each}.example" for each in range(amounts.streams)]

        for one in seated:
            figures[one.name].streams.append(await new_streams(one, new))
            figures[one.name].memory_after["streams"] = resident_megabytes(one.pid)


async def _memory(gateway: GatewayProcess, ground: Ground, amount: int) -> list[Row]:
    """What the gateway holds after a fifth, three fifths and all of so many messages, half of them each way."""
    exchange = Exchange(gateway, ground)
    await exchange.open()
    held = []

    for tenth in range(1, 11):
        await exchange.inward(amount // 20)
        await exchange.outward(amount // 20)

        if tenth in (2, 6, 10):
            held.append(resident_megabytes(gateway.pid))

    exchange.close()
    growth = held[-1] / held[0] - 1
    said = ", ".join(f"{megabytes:.1f}" for megabytes in held)
    what = f"gateway's MB at {amount // 5:,}, {amount * 3 // 5:,}, {amount:,} messages"

    return [Row(what, said, "", f"{growth:+.1%}", "flat: < 3 %", growth < 0.03)]


def _rows(ours: Figures, theirs: Figures) -> list[Row]:
    rows = []

    for what, mine, others, target in (
        ("messages/s to users", ours.inward, theirs.inward, 0.3),
        ("messages/s from users", ours.outward, theirs.outward, 0.3),
        ("new dialback streams/s", ours.streams, theirs.streams, 0.5),
    ):
        if not mine:
            continue

        rows.append(against(what, _rates(mine), _rates(others), target))
        costs = [spread([each.microseconds for each in some]) if some else "" for some in (mine, others)]
        busy = ", ".join(
            f"{sum(e.cpu for e in some) / sum(e.seconds for e in some):.0%}" for some in (mine, others) if some
        )
        rows.append(Row(f"  CPU, us each (busy {busy})", costs[0], costs[1]))

    for moment, megabytes in ours.memory_after.items():
        other = theirs.memory_after.get(moment)
        rows.append(Row(f"MB after {moment}", f"{megabytes:.1f}", f"{other:.1f}" if other else ""))

    return rows


def _rates(measured: list[Measured]) -> list[float]:
    return [each.rate for each in measured]


async def _bench(amounts: Amounts, parts: Sequence[str], profile: Path | None) -> None:
    rows = await _measure_simulator(amounts) if "worlds" in parts else []
    rows += await _measure_handshakes(amounts) if "tls" in parts else []

    if "contacts" in parts:
        rows += await _measure_contacts(amounts)

    if set(parts) - {"worlds", "tls", "contacts"}:
        rows += await _measure_systems(amounts, parts, profile)

    print(show(rows))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures speed and memory.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} [all]")
    parser.add_argument("--quick", action="store_true", help="fewer of everything")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="let cProfile look into the gateway")
    given = parser.parse_args()

    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")

    asyncio.run(_bench(QUICK if given.quick else Amounts(), given.parts or PARTS, given.profile))


if __name__ == "__main__":
    main()
