"""What there is to be told of one stream, for whoever looks after the gateway.

Knows the words. Does not know streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.gateway.edge.channel import Channel


@dataclass(frozen=True, kw_only=True)
class StreamStatus:
    """One stream. `pairs` are local and remote domain with how they were authorised; durations are in seconds."""

    number: int
    """No other stream of this process has it."""
    direction: str
    """``inbound``: a partner opened it; ``outbound``: we did. Stanzas go from the one who opened it to the other."""
    local: str
    remote: str
    """Addresses, ``host:port``."""
    pairs: tuple[tuple[str, str, str], ...]
    tls: str
    """The version of TLS and the cipher; empty without TLS."""
    age: float
    idle: float
    stanzas_in: int
    stanzas_out: int

    def words(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "direction": self.direction,
            "local": self.local,
            "remote": self.remote,
            "pairs": [{"local": local, "remote": remote} for local, remote, _ in self.pairs],
            "method": ", ".join(sorted({method for _, _, method in self.pairs})),
            "tls": self.tls,
            "age": round(self.age, 3),
            "idle": round(self.idle, 3),
            "stanzas_in": self.stanzas_in,
            "stanzas_out": self.stanzas_out,
        }


def describe(channel: Channel, direction: str, methods: Mapping[tuple[str, str], str], now: float) -> StreamStatus:
    """The status of a channel on which these pairs, local domain first, were authorised so; `now` is the loop's."""
    connection, tls = channel.connection, channel.connection.tls

    return StreamStatus(
        number=channel.number,
        direction=direction,
        local=_place(connection.local),
        remote=_place(connection.remote),
        pairs=tuple((local, remote, method) for (local, remote), method in methods.items()),
        tls=f"{tls.version} {tls.cipher}" if tls is not None else "",
        age=now - channel.began,
        idle=now - max(channel.heard, channel.spoke),
        stanzas_in=channel.stanzas_in,
        stanzas_out=channel.stanzas_out,
    )


def _place(address: Iterable[object]) -> str:
    host, port = address

    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
