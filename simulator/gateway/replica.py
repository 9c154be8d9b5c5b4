"""What of the configuration every Edge Server has from the front end, whatever its own file says. Pure.

Knows which parts these are, and how they are written. Does not know how they cross the link, nor what follows.

In Lync the Central Management Store, inside, replicates to each Edge Server; nobody administers an Edge. What a command
changes inside must reach an edge that runs as a process of its own, and its file may be older than that. Where it
listens, what certificates it shows and how it dials remain its own.
"""

from __future__ import annotations

import random
import secrets

import msgspec

from simulator.gateway.configuration import Configuration
from simulator.gateway.partner import AllowedPartner
from simulator.gateway.settings import GatewaySettings


class Replica(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The parts, as in `Configuration`."""

    domains: tuple[str, ...]
    former_domains: tuple[str, ...]
    partners: tuple[AllowedPartner, ...]
    gateway: GatewaySettings


def new_passphrase(entropy: random.Random | None = None) -> str:
    """A secret of dialback keys for all edges, where the administrator has set none.

    XEP-0185 §2: it is "generated as a random string when starting the XMPP server", here at the start of the front end.
    """
    return secrets.token_hex(32) if entropy is None else entropy.randbytes(32).hex()


def replica_of(configuration: Configuration) -> str:
    """The parts of a configuration as one line of JSON."""
    parts = {name: getattr(configuration, name) for name in Replica.__struct_fields__}

    return msgspec.json.encode(Replica(**parts)).decode()


def with_replica(configuration: Configuration, text: str) -> Configuration:
    """The configuration with what such a line has in its place; raises ValueError."""
    try:
        replica = msgspec.json.decode(text, type=Replica)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"what the front end replicates cannot be read: {error}") from None

    return msgspec.structs.replace(configuration, **msgspec.structs.asdict(replica))
