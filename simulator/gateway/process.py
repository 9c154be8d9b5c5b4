"""The gateway, or a part of it, as a process: reads its file, says when it is ready, and ends in order when told to.

Knows signals, standard output and exit codes. Does not know what the gateway does.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import datetime
from pathlib import Path

from simulator.document import DocumentError
from simulator.gateway.administration import Administration, ScriptFailed
from simulator.gateway.configuration import read_configuration
from simulator.gateway.control import Control
from simulator.gateway.gateway import Gateway, NoSuchEdge, Role
from simulator.wire.tls import CertificateError

ENDED, BAD_CONFIGURATION, NOT_STARTED = 0, 2, 3
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(
    path: Path,
    *,
    role: Role = Role.ALL,
    pool: str | None = None,
    edge: str | None = None,
    control: Path | None = None,
    script: Path | None = None,
) -> int:
    """Run a gateway, or one of its parts, until SIGTERM or SIGINT and return the exit code.

    `pool` and `edge` are FQDNs of the configuration and say which edge is meant. On SIGHUP the file is read again, and
    what can be changed while running is; if the file is bad, nothing is. `control` is the control socket, if not that
    of the configuration; the lines of `script` are run before the gateway says that it is ready.

    0: ended as told. 2: the configuration, a certificate that it names, or a line of the script is bad (standard error
    says file, line and column). 3: it could not start, for example because a port is taken. Standard output gets one
    line, when everything listens and the link is up:
    ``s2sim gateway ready edge=HOST:PORT link=HOST:PORT sip=HOST:PORT sips=HOST:PORT``. The log is on standard error.
    A part of a gateway names its own sockets only; further edges have their FQDN behind theirs, ``edge@FQDN=…``.
    """
    try:
        configuration = read_configuration(path)
    except DocumentError as error:
        _complain(str(error))
        return BAD_CONFIGURATION

    for warning in configuration.warnings:
        _complain(warning)

    if control is None and configuration.management.control is not None:
        control = Path(configuration.management.control)

    try:
        gateway = Gateway(configuration, role=role, pool=pool, edge=edge, log=_log)
    except NoSuchEdge as error:
        _complain(str(error))
        return BAD_CONFIGURATION

    return asyncio.run(_serve(path, gateway, control, script))


async def _serve(path: Path, gateway: Gateway, control: Path | None, script: Path | None) -> int:
    told_to_end = _signals()
    administration = Administration(gateway)
    socket = Control(administration, control, _log) if control is not None else None
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reread, path, gateway)
    starting = asyncio.create_task(_start(gateway, administration, socket, script))
    ending = asyncio.create_task(told_to_end.wait())
    await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)

    try:
        if starting.done():
            await starting
            _say(_ready(gateway))
            await ending
        else:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
    except CertificateError as error:
        _complain(f"the gateway cannot start: {error}")
        return BAD_CONFIGURATION
    except ScriptFailed as error:
        _complain(str(error))
        return BAD_CONFIGURATION
    except OSError as error:
        _complain(f"the gateway cannot start: {error}")
        return NOT_STARTED
    finally:
        ending.cancel()

        if socket is not None:
            await socket.stop()

        await gateway.stop()

    _log("ended as told")

    return ENDED


async def _start(gateway: Gateway, administration: Administration, socket: Control | None, script: Path | None) -> None:
    """Start everything. A script runs on the running gateway, for it may try it out."""
    await gateway.start()

    if script is not None:
        for line in (await administration.run_script(script)).lines:
            _complain(line.text)

    if socket is not None:
        await socket.start()


def _reread(path: Path, gateway: Gateway) -> None:
    try:
        configuration = read_configuration(path)
    except DocumentError as error:
        _complain(str(error))
        _log("the configuration stays as it was")
    else:
        for warning in configuration.warnings:
            _complain(warning)

        gateway.reconfigure(configuration)


def _signals() -> asyncio.Event:
    """An event that is set by the first signal to end; a second one ends the process at once."""
    loop = asyncio.get_running_loop()
    told_to_end = asyncio.Event()

    def end() -> None:
        told_to_end.set()

        for number in SIGNALS:
            loop.remove_signal_handler(number)

    for number in SIGNALS:
        loop.add_signal_handler(number, end)

    return told_to_end


def _ready(gateway: Gateway) -> str:
    places = " ".join(f"{service}={host}:{port}" for service, (host, port) in gateway.listening.items())

    return f"s2sim gateway ready {places}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _log(line: str) -> None:
    _complain(f"{datetime.now().astimezone().isoformat(timespec='milliseconds')} {line}")
