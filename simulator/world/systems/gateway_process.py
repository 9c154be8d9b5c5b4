"""A process of the embedded gateway, whole or a part of it.

Knows the command that runs it, its exit codes and its readiness line. Does not know who is in the seat.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from simulator.world.systems.child import Child, tail
from simulator.world.systems.remote_shell import SOCKET
from simulator.world.systems.system import SettingsRefused, SystemFailed

#: seconds until the readiness line must stand on its standard output
START = 15.0
BAD_CONFIGURATION = 2
_PLACE = re.compile(r"([\w-]+)=(\S+):(\d+)")


async def start_gateway(child: Child, file: Path, says: str, *part: str) -> dict[str, tuple[str, int]]:
    """Start it with this file, its control socket in the child's folder, and give its sockets at its readiness line.

    `says` is what people call it, `part` the options that make it a part only. Raises SettingsRefused or SystemFailed.
    """
    options = ("--config", str(file), "--control", str(child.folder / SOCKET), *part)
    await child.start(sys.executable, "-m", "simulator", "gateway", *options, read_stdout=True)
    line = ""

    try:
        async with asyncio.timeout(START):
            line = (await child.stdout.readline()).decode("utf-8", "replace")

            if not line:
                await child.ended.wait()
    except TimeoutError:
        why = f"{says} did not say within {START:g} s that it is ready"
        raise SystemFailed("\n".join([why, *child.last_lines(10)])) from None

    if child.status == BAD_CONFIGURATION:
        # The folder is ours and gone in a moment: its name helps nobody.
        raise SettingsRefused("\n".join(tail(child.console, 10)).replace(str(file), file.name))

    if not line:
        why = f"{says} ended with status {child.status}"
        raise SystemFailed("\n".join([why, *child.last_lines(10)]))

    return {service: (host, int(port)) for service, host, port in _PLACE.findall(line)}
