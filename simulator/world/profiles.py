"""What partners are: named, dated sets of properties, read from ``scenarios/profiles/NAME.yaml``.

Knows the shape of those files and the records that a profile publishes. Does not know how a partner acts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from simulator.document import DocumentError, read_document
from simulator.world.quirks import Behaviour, QuirkError, behave

#: Beside the package in a checkout, inside it once installed.
_FOLDERS = (Path(__file__).parents[1] / "scenarios" / "profiles", Path(__file__).parents[2] / "scenarios" / "profiles")


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One SRV record: `host` is a name of `Profile.hosts`."""

    priority: int = 0
    weight: int = 0
    host: str


class Profile(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """What a partner is. Host names may contain ``{domain}``."""

    name: str
    says: str
    """One sentence for lists."""
    as_of: str = ""
    """The time that the profile describes."""
    evidence: tuple[str, ...] = ()
    """Where each property is documented."""
    home: str = ""
    """The domain that owns the names in `hosts`; a partner of another name gets names below its own."""
    additional_domains: tuple[str, ...] = ()
    """What the home domain speaks for, too."""
    hosts: tuple[str, ...] = ("xmpp.{domain}",)
    services: tuple[Service, ...] = (Service(host="xmpp.{domain}"),)
    quirks: tuple[str, ...] = ()
    """Names of `quirks.QUIRKS`: what of the default behaviour differs."""
    whitelist: bool = False
    """Whether users hear of those on their roster only."""
    settings: dict[str, Any] = {}
    """What the documentation tells the system's administrator to set for such a partner."""

    @property
    def behaviour(self) -> Behaviour:
        """How such a partner behaves when a scenario adds no quirk."""
        return replace(behave(Behaviour(), self.quirks), whitelist=self.whitelist)

    def host_names(
        self, domain: str, given: Sequence[str] | int | None = None, real: Callable[[str], str] = str
    ) -> tuple[str, ...]:
        """The host names of a partner whose real name is `domain`.

        A scenario may give names of its own, or a number: the first of the profile, then ``host2.DOMAIN`` and so on.
        """
        names = tuple(self._host(host, domain) for host in self.hosts)

        if given is None:
            return names

        if isinstance(given, int):
            return (*names, *(f"host{number}.{domain}" for number in range(len(names) + 1, given + 1)))[:given]

        return tuple(real(str(host)) for host in given)

    def zone(
        self, domains: Sequence[str], places: Mapping[str, tuple[str, int]], name: str = "_xmpp-server._tcp"
    ) -> str:
        """The zone text: SRV for each domain, an address for each host of `places` (host -> address, port)."""
        served = {self._host(service.host, domains[0]): service for service in self.services}
        order = itertools.count(max((service.priority for service in self.services), default=0) + 10, 10)
        lines = []

        for host, (address, port) in places.items():
            # Hosts that only the scenario knows come after those of the profile, one after the other.
            service = served.get(host) or Service(priority=next(order), host=host)
            lines.append(f"{host} {'AAAA' if ':' in address else 'A'} {address}")
            lines += [f"{name}.{domain} SRV {service.priority} {service.weight} {port} {host}." for domain in domains]

        return "\n".join(lines)

    def _host(self, host: str, domain: str) -> str:
        filled = host.replace("{domain}", domain)

        return filled if filled != host or domain == self.home else f"{host}.{domain}"


@lru_cache
def load_profile(name: str) -> Profile:
    """Read a profile by name; raises DocumentError naming those that exist."""
    for folder in _FOLDERS:
        path = folder / f"{name}.yaml"

        if path.is_file():
            document = read_document(path)
            profile = document.convert(Profile)

            try:
                behave(Behaviour(), profile.quirks)
            except QuirkError as error:
                raise document.error(("quirks",), str(error)) from None

            return profile

    known = ", ".join(profile_names())
    raise DocumentError(f"scenarios/profiles/{name}.yaml", 1, 1, "there is no such profile", f"there are: {known}")


def profile_names() -> list[str]:
    """The names of all profiles."""
    return sorted({path.stem for folder in _FOLDERS if folder.is_dir() for path in folder.glob("*.yaml")})
