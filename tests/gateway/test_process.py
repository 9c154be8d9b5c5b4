"""The gateway as a process of its own: readiness, signals, exit codes, and nothing left behind."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAM = (
    "import sys; from pathlib import Path; from simulator.gateway.process import run; sys.exit(run(Path(sys.argv[1])))"
)
HEADER = (
    b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
    b" xmlns:db='jabber:server:dialback' from='gmail.com' to='contoso.com' version='1.0'>"
)


@contextmanager
def running(file: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM, str(file)]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def places(process: subprocess.Popen[str]) -> dict[str, tuple[str, int]]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("s2sim gateway ready "), process.communicate(timeout=10)

    return {name: (host, int(port)) for name, host, port in re.findall(r"(\w+)=(\S+):(\d+)", line)}


def read_until(stream: socket.socket, words: bytes) -> bytes:
    data = b""

    while words not in data:
        got = stream.recv(65536)
        assert got, f"the stream ended after {data!r}"
        data += got

    return data


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_closes_streams_and_exits_zero(gateway_file: Callable[..., Path], number: signal.Signals) -> None:
    with running(gateway_file()) as process:
        found = places(process)
        assert list(found) == ["edge", "link", "sip", "sips"]

        with socket.create_connection(found["edge"], timeout=10) as stream:
            stream.sendall(HEADER)
            read_until(stream, b"features>")
            process.send_signal(number)
            farewell = read_until(stream, b"</stream:stream>")
            stream.close()

        _, log = process.communicate(timeout=10)

    assert b"<system-shutdown" in farewell
    assert process.returncode == 0
    assert "ended as told" in log
    assert "Traceback" not in log

    for place in found.values():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place, timeout=1)


def outcome(file: Path) -> tuple[int, str, str]:
    with running(file) as process:
        said, log = process.communicate(timeout=20)

    return process.returncode, said, log


def test_bad_configuration_exits_two_with_its_place(gateway_file: Callable[..., Path]) -> None:
    file = gateway_file(edge={"prot": 5269})
    code, said, log = outcome(file)

    assert (code, said) == (2, "")
    assert re.search(
        rf"^{re.escape(str(file))}:\d+:\d+: unknown key 'prot'\n  did you mean 'port'\?$", log, re.MULTILINE
    )
    assert "Traceback" not in log


def test_bad_certificate_exits_two(gateway_file: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "rubbish.pem").write_text("no certificate")
    pair = {"certificate": "rubbish.pem", "key": "rubbish.pem"}
    code, _, log = outcome(gateway_file(certificates={"authority": "rubbish.pem", "internal": pair, "sip": pair}))

    assert code == 2
    assert "rubbish.pem" in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("part", "setting"),
    [
        ("edge", "port"),
        ("edge", "link-port"),
        ("frontend", "sip-tcp-port"),
        ("frontend", "sip-tls-port"),
    ],
)
def test_taken_port_exits_three_and_says_which(
    gateway_file: Callable[..., Path], words: dict[str, Any], part: str, setting: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said, log = outcome(gateway_file(**{part: {**words[part], setting: port}}))

    assert (code, said) == (3, "")
    assert f"127.0.0.1 port {port}" in log
    assert "the port is taken" in log
    assert "Traceback" not in log


def test_warnings_are_printed_with_their_place(gateway_file: Callable[..., Path]) -> None:
    file = gateway_file(partners=[{"identity": "gmail.com", "tls-negotiation": "NotSupported"}])

    with running(file) as process:
        places(process)
        process.terminate()
        _, log = process.communicate(timeout=10)

    assert re.search(rf"^{re.escape(str(file))}:\d+:\d+: warning: partner gmail.com: SASL needs TLS", log, re.MULTILINE)


def test_signal_while_starting_ends_at_once(gateway_file: Callable[..., Path], words: dict[str, Any]) -> None:
    # Nobody has a certificate for this name, so the link never comes up and the gateway goes on starting.
    certificates = {**words["certificates"], "internal-name": "nobody.internal"}
    edge = {"port": 0, "link-port": 0, "connect-timeout": 60}

    with running(gateway_file(certificates=certificates, edge=edge)) as process:
        assert process.stderr is not None
        assert "link" in process.stderr.readline()
        process.terminate()
        said, log = process.communicate(timeout=10)

    assert (process.returncode, said) == (0, "")
    assert "Traceback" not in log
