"""What a system finds when it takes its seat: names, settings, name server, certificates, addresses.

Knows only values. Does not know who brings them up (`world`), nor what a system makes of them (`systems`).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.world.addresses import Addresses
    from simulator.world.ca import CertificateAuthority


@dataclass(frozen=True)
class Surroundings:
    """Everything that `System.start` is given; all names are real names."""

    domains: tuple[str, ...]
    """Domains that the system serves."""
    users: tuple[str, ...]
    """Bare addresses of the users inside."""
    partners: dict[str, dict[str, Any]]
    """Allowed partner -> the administrator's settings (``tls``, ``sasl``, ``dialback``, ``keepalive``, ...)."""
    name_server: tuple[str, int]
    authority: CertificateAuthority
    addresses: Addresses
    folder: Path
    """Private, empty, and gone when the world is."""
    entropy: random.Random
    log: Callable[[str], None]
    """Takes each line of the system's own log."""
    gateway: dict[str, Any] = field(default_factory=dict)
    """The scenario's ``settings: gateway:``: timeouts and limits."""
    configuration: dict[str, Any] = field(default_factory=dict)
    """The scenario's ``settings: configuration:``: anything else, merged into the system's configuration."""
