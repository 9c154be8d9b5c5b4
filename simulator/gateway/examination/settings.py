"""Routes, switches, policies and partners' settings: what of a configuration keeps people apart. Pure.

Knows who asks which gate. Does not know what a gate is: `access` does.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.gateway.access.gates import Gate, federation_is_closed, route_is_closed
from simulator.gateway.access.point import AccessPoint
from simulator.gateway.configuration import Configuration
from simulator.gateway.examination.finding import Finding, fail, ok, warn
from simulator.gateway.settings import User
from simulator.xmpp.address import Address, parse_address

#: how many users a line names
NAMED = 3
#: somebody at a partner
SOMEBODY = "somebody"


def route(configuration: Configuration) -> Iterator[Finding]:
    """Whether the traffic of each site has a way out, and federation is on at all."""
    for site in configuration.sites:
        closed = route_is_closed(configuration, User(address=f"x@{configuration.domains[0]}", site=site.identity))

        if closed is None:
            yield ok("route", f"the XMPP traffic of the site {site.identity} leaves by {site.xmpp_federation_route}")
        else:
            what, _, advice = closed.partition(": ")
            yield fail("route", what, advice)

    if not configuration.sites:
        yield ok("route", "there are no sites: all XMPP traffic leaves by the one edge")

    closed = federation_is_closed(configuration)

    if closed is None:
        yield ok("federation", "AllowFederatedUsers is True")
    else:
        yield fail("federation", "AllowFederatedUsers is False: nobody talks to any partner", _advice(closed))


def partners(configuration: Configuration) -> Iterator[Finding]:
    """What the documents warn of in partners' settings."""
    if not configuration.partners:
        yield warn("partner", "there is no allowed partner", "New-CsXmppAllowedPartner DOMAIN")

    for partner in configuration.partners:
        subject = f"partner {partner.identity}"
        methods = ", ".join(sorted(partner.methods))

        if partner.warning is not None:
            yield warn(
                subject, partner.warning, f"what remains: {methods}; Set-CsXmppAllowedPartner {partner.identity}"
            )
        else:
            yield ok(subject, f"streams are authenticated by {methods}")


def gates(configuration: Configuration) -> Iterator[Finding]:
    """For each partner, which users may write to it, and which gate keeps the others."""
    point = AccessPoint(configuration)

    for partner in configuration.partners:
        subject = f"users and {partner.identity}"
        contact = parse_address(f"{SOMEBODY}@{partner.identity}")
        free, kept = _sorted_out(configuration, point, contact)

        if not configuration.users:
            yield warn(subject, "there are no users", "add users to the configuration")
        elif not kept:
            yield ok(subject, f"all {len(free)} user(s) may write")

        for (gate, reason), users in kept.items():
            text = f"{_names(users)} may not write: the gate {gate.value} is closed"
            level = warn if free else fail
            yield level(subject, text, _advice(reason))


def _sorted_out(
    configuration: Configuration, point: AccessPoint, contact: Address
) -> tuple[list[str], dict[tuple[Gate, str], list[str]]]:
    free: list[str] = []
    kept: dict[tuple[Gate, str], list[str]] = {}

    for user in configuration.users:
        closed = point.outbound(parse_address(user.address), contact)

        if closed is None:
            free.append(user.address)
        else:
            kept.setdefault((closed.gate, closed.reason), []).append(user.address)

    return free, kept


def _names(users: list[str]) -> str:
    return ", ".join(users[:NAMED]) + (f" and {len(users) - NAMED} more" if len(users) > NAMED else "")


def _advice(reason: str) -> str:
    """The cmdlet that a reason ends with; a policy's name stands in the reason."""
    what, _, cmdlet = reason.partition(": ")

    return f"{what}: {cmdlet}" if cmdlet.startswith("Set-CsExternalAccessPolicy") else cmdlet or what
