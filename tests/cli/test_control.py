"""The control socket itself: questions, and peers that do not speak its language."""

from __future__ import annotations

import json
import socket as sockets
from contextlib import suppress
from pathlib import Path

from simulator.gateway.control_client import ControlClient
from tests.cli.test_shell import authority, config, gateway, socket

__all__ = ["authority", "config", "socket"]


def exchange(path: Path, said: bytes) -> list[dict[str, object]]:
    """Everything that is answered to raw bytes, until the gateway closes."""
    with sockets.socket(sockets.AF_UNIX) as raw:
        raw.settimeout(20)
        raw.connect(str(path))

        found: list[dict[str, object]] = []

        # It listens no longer to whoever says too much, and what was not read resets the connection.
        with suppress(BrokenPipeError, ConnectionResetError):
            raw.sendall(said)
            raw.shutdown(sockets.SHUT_WR)

            with raw.makefile("rb") as lines:
                found.extend(json.loads(line) for line in lines)

        return found


def test_questions_are_asked_and_nonsense_is_refused(config: Path, socket: Path) -> None:
    with gateway(config, "--control", str(socket)):
        asked: list[str] = []
        printed: list[str] = []

        def answer(question: str) -> bool:
            asked.append(question)

            return len(asked) > 1

        with ControlClient(socket) as client:
            for _ in range(2):
                line = "New-CsXmppAllowedPartner far.example -Confirm"
                assert not client.run(line, lambda stream, text: printed.append(text), answer)

            assert [each["identity"] for each in client.configuration()["partners"]] == ["far.example"]
            assert sum("Identity" in text for text in printed) == 1
            assert asked[0].endswith('Performing the operation "New-CsXmppAllowedPartner" on target "far.example".')

            # Variables last as long as the connection, and belong to it.
            client.run("$x = 7", print, answer)
            (failure,) = client.run(
                "Write-Output ok; $x; Get-CsUser nobody", lambda _, text: printed.append(text), answer
            )
            assert "7" in printed
            assert (failure.line, failure.column) == (1, 22)

        assert "known are status" in str(exchange(socket, b'{"command": "sing"}\n')[0]["error"])
        assert exchange(socket, b"nonsense\n")[0]["error"]
        assert exchange(socket, b"[" * 100_000 + b"\n")[0]["error"]
        assert exchange(socket, b"[]\n")[0]["error"] == "a request is an object in one line of JSON"
        assert exchange(socket, b'{"command": "status"') == []
        assert all("limit" in str(said["error"]) for said in exchange(socket, b"x" * 5_000_000))

        with ControlClient(socket) as client:
            assert client.status()["role"] == "all"
