"""Who may act in a scenario, and who of them a sentence begins with.

Knows names. Does not know what anybody can do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from simulator.scenario.model import ADMINISTRATOR, NAME_SERVER, SYSTEM
from simulator.scenario.verb import ActorKind

DEVICES = "devices"


class Cast(msgspec.Struct, frozen=True):
    """Who may act in a scenario."""

    partners: Collection[str]
    domains: Collection[str]
    users: Mapping[str, Mapping[str, Any]]
    """address -> options."""

    def kind(self, name: str) -> ActorKind | None:
        """What sort of actor has this name; None: nobody."""
        kinds: dict[ActorKind, bool] = {
            "DNS": name == NAME_SERVER,
            "system": name == SYSTEM,
            "administrator": name == ADMINISTRATOR,
            "user": name in self.users or self.device(name)[1] != "",
            "partner": name in self.partners,
            "domain": name in self.domains,
        }

        return next((kind for kind, fits in kinds.items() if fits), None)

    def device(self, name: str) -> tuple[str, str]:
        """A user's bare address and the device that ``ADDRESS/DEVICE`` names; any other name, and none."""
        address, _, device = name.partition("/")

        return (address, device) if device in self.users.get(address, {}).get(DEVICES, ()) else (name, "")

    @property
    def everybody(self) -> list[str]:
        """All names, for hints."""
        devices = [
            f"{address}/{device}" for address, options in self.users.items() for device in options.get(DEVICES, ())
        ]

        return [*self.partners, *self.users, *devices, *self.domains, NAME_SERVER, SYSTEM, ADMINISTRATOR]
