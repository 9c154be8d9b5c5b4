"""How real servers say, in their logs, that a stream was authenticated.

Knows the logs of Prosody and ejabberd. Does not know what they should say.
"""

from __future__ import annotations

import asyncio
import re

from simulator.world.systems.ejabberd import Ejabberd
from simulator.world.systems.system import System

EXTERNAL, TLS_DIALBACK, TCP_DIALBACK = "EXTERNAL over TLS", "dialback over TLS", "dialback over TCP"
_METHODS = {("tls", "EXTERNAL"): EXTERNAL, ("tls", "dialback"): TLS_DIALBACK, ("tcp", "dialback"): TCP_DIALBACK}
_ACCEPTED = re.compile(r"\((\w+)\|[^)]*\) Accepted (in|out)bound s2s (\w+) authentication")
_SESSION = re.compile(r"\bs2s(in|out)([0-9a-f]+)\t")


async def methods(system: System, number: int) -> dict[str, str]:
    """``in`` and ``out`` -> how the server's streams of this direction were authenticated.

    Waits until there are `number` of them: a log is written a moment after what it tells. Raises TimeoutError.
    """
    read = _of_ejabberd if isinstance(system, Ejabberd) else _of_prosody

    async with asyncio.timeout(5):
        while len(found := read(system.log_lines(2000))) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    return found


def _of_ejabberd(lines: list[str]) -> dict[str, str]:
    accepted = _ACCEPTED.findall("\n".join(lines))

    return {direction: _METHODS[transport, mechanism] for transport, direction, mechanism in accepted}


def _of_prosody(lines: list[str]) -> dict[str, str]:
    sessions: dict[tuple[str, str], str] = {}

    for line in lines:
        if found := _SESSION.search(line):
            sessions[found[1], found[2]] = sessions.get((found[1], found[2]), "") + line

    return {
        direction: _METHODS[
            "tls" if "Stream encrypted" in said else "tcp", "EXTERNAL" if "mechanism='EXTERNAL'" in said else "dialback"
        ]
        for (direction, _), said in sessions.items()
        if "is now authenticated" in said
    }
