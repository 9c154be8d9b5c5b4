"""What the shell may ask of a running gateway: services, sockets, and an IM to try it out.

Knows the questions. Does not know a gateway: whoever answers them does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from simulator.powershell.cmdlet import CmdletError


@dataclass(frozen=True, kw_only=True)
class Service:
    """A Windows service on one computer: its short name, the one that people know, and whether it runs."""

    name: str
    display_name: str
    role: str
    computer: str
    running: bool


@dataclass(frozen=True, kw_only=True)
class Socket:
    """A TCP socket of the gateway as netstat shows it: listening, where `remote` is ``0.0.0.0:0``, or connected."""

    local: str
    remote: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What became of a message that was sent to try out the way: seconds that it took, or why it did not arrive."""

    latency: float = 0.0
    error: str = ""
    diagnosis: str = ""


class Running(Protocol):
    """A gateway that runs."""

    def services(self) -> Sequence[Service]:
        """Its services."""

    def sockets(self) -> Sequence[Socket]:
        """Its sockets."""

    async def start_service(self, service: Service) -> None:
        """Start a service that does not run. Raises OSError."""

    async def stop_service(self, service: Service) -> None:
        """Stop a service that runs."""

    async def send_message(self, sender: str, receiver: str, port: int | None) -> Attempt:
        """Sign on as a user inside and send one message to somebody outside; `port` is the registrar's, if given."""


def not_running() -> CmdletError:
    """The error of whatever needs a gateway that runs."""
    return CmdletError(
        "No gateway is running: this session is about a configuration file.",
        category="ResourceUnavailable: (:)",
        identifier="NotRunning",
        kind="InvalidOperationException",
        hint="s2sim shell --control SOCKET talks to a running one",
    )
