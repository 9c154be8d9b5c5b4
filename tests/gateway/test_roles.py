"""Edge and front end as processes of their own: what they print, how they are told which edge they are, and SIGHUP."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
import yaml

from simulator.world.addresses import Addresses

WEST, EAST = "edge1.contoso.com", "edge2.contoso.com"


@contextmanager
def running(file: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "simulator", "gateway", "--config", str(file), *options]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("s2sim gateway ready "), process.communicate(timeout=10)

    return re.findall(r"(\S+)=\S+", line)


def log_until(stream: IO[str] | None, words: str) -> str:
    assert stream is not None
    said = []

    for line in stream:
        said.append(line)

        if words in line:
            return line

    raise AssertionError(f"{words!r} is not in {''.join(said)}")


@pytest.fixture
def file(words: dict[str, Any], tmp_path: Path) -> Iterator[Path]:
    with Addresses() as addresses:
        hosts = {name: addresses.take(name) for name in (WEST, EAST, "inside")}
        words["frontend"] = {"host": hosts["inside"], "sip-tcp-port": 5060, "sip-tls-port": None}
        words["pools"] = [
            {"identity": name, "enable-xmpp-federation": True, "edge": {"host": hosts[name]}} for name in (WEST, EAST)
        ]
        words["sites"] = [{"identity": "Redmond", "xmpp-federation-route": WEST}]
        path = tmp_path / "gateway.yaml"
        path.write_text(yaml.safe_dump(words), encoding="utf-8")
        yield path


def test_parts_find_each_other_and_follow_the_file(file: Path) -> None:
    with ExitStack() as stack:
        # The front end comes first, and does not mind.
        inside = stack.enter_context(running(file, "--role", "front-end"))
        assert ready(inside) == ["sip"]
        west = stack.enter_context(running(file, "--role", "edge", "--edge", WEST))
        east = stack.enter_context(running(file, "--role", "edge", "--pool", EAST))
        assert ready(west) == ready(east) == ["edge", "link"]
        log_until(west.stderr, "link up")
        log_until(east.stderr, "no longer the site's XMPP federation route")

        words = yaml.safe_load(file.read_text(encoding="utf-8"))
        words["sites"][0]["xmpp-federation-route"] = EAST
        file.write_text(yaml.safe_dump(words), encoding="utf-8")
        inside.send_signal(signal.SIGHUP)
        log_until(inside.stderr, "reconfigured")
        log_until(west.stderr, "no longer the site's XMPP federation route")
        log_until(east.stderr, "this edge is the site's XMPP federation route")

        file.write_text("domains: [contoso.com", encoding="utf-8")
        inside.send_signal(signal.SIGHUP)
        log_until(inside.stderr, "the configuration stays as it was")

        for process in (inside, west, east):
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--role", "edge"), f"which edge?; the configuration has: {WEST} (pool {WEST}), {EAST} (pool {EAST})"),
        (("--role", "edge", "--edge", "edge9.contoso.com"), "there is no edge edge9.contoso.com"),
        (("--role", "middle"), "--role middle: there is no such part of a gateway; known are all, edge, front-end"),
        (("--pool", WEST), "--pool and --edge say which edge runs: write --role edge before them"),
    ],
)
def test_edge_that_is_not_meant_exits_two(file: Path, options: tuple[str, ...], says: str) -> None:
    with running(file, *options) as process:
        said, log = process.communicate(timeout=20)

    assert (process.returncode, said) == (2, "")
    assert says in log
    assert "Traceback" not in log
