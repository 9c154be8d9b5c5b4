"""DNS: our own records, by which partners find us.

The guide to the older gateway has it that "_xmpp-server._tcp.<sip-domain>" resolves to a host record that matches the
gateway; "DNS summary": one such record for every SIP domain whose users talk to partners.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

from simulator.gateway.configuration import Configuration
from simulator.gateway.examination.finding import Finding, fail, ok, warn
from simulator.wire.resolve import NotResolved, ResolveError, Resolver, ServiceDenied
from simulator.wire.service import Target

EVERYWHERE = frozenset({"0.0.0.0", "::", ""})
UNANSWERED = "does the name server run, and is it the right one? dns: {server: …}"


async def own_records(
    configuration: Configuration, resolver: Resolver, places: Mapping[str, int]
) -> AsyncIterator[Finding]:
    """SRV and address records of our domains; `places` are the edges: addresses that they listen on -> port."""
    for domain in configuration.domains:
        subject = f"DNS of {domain}"
        wanted = f"_xmpp-server._tcp.{domain} SRV 0 0 {next(iter(places.values()), 5269)} HOST"

        try:
            targets = await resolver.targets(domain)
        except ServiceDenied as error:
            yield fail(subject, str(error), f"partners take this for a refusal; publish {wanted}")
            continue
        except ResolveError as error:
            yield fail(subject, str(error), UNANSWERED)
            continue

        if not any(target.published for target in targets):
            unanswered = await unanswered_about(domain, resolver)

            if unanswered is not None:
                yield fail(subject, str(unanswered), UNANSWERED)
                continue

            text = f"there is no usable record _xmpp-server._tcp.{domain}: partners guess the port and the host"
            yield fail(subject, text, f"publish {wanted}")
            continue

        for target in targets:
            yield await _target(subject, target, resolver, places)


async def _target(subject: str, target: Target, resolver: Resolver, places: Mapping[str, int]) -> Finding:
    found = await addresses(resolver, target.host)
    said = f"SRV names {target.host}:{target.port}"

    if isinstance(found, ResolveError):
        advice = UNANSWERED if isinstance(found, NotResolved) else f"publish {target.host} A ADDRESS"
        return fail(subject, f"{said}, which has no address: {found}", advice)

    said += f", which is at {', '.join(found)}"

    if not places or EVERYWHERE & places.keys():
        return ok(subject, said)

    here = [address for address in found if address in places]

    if not here:
        text = f"{said}; the edge listens on {', '.join(places)}"
        return warn(subject, text, "right if that address leads here (NAT); else correct the A record")

    if places[here[0]] != target.port:
        text = f"{said}; the edge listens on port {places[here[0]]}"
        return warn(subject, text, "right if that port leads here (NAT); else correct the SRV record")

    return ok(subject, said)


async def unanswered_about(domain: str, resolver: Resolver) -> NotResolved | None:
    """Why nothing can be said of a domain: where the name server does not answer, no record need be missing."""
    found = await addresses(resolver, domain)

    return found if isinstance(found, NotResolved) else None


async def addresses(resolver: Resolver, host: str) -> list[str] | ResolveError:
    """All addresses of a host of one family, or why there are none."""
    found: list[str] = []

    try:
        async with aclosing(resolver.addresses(host)) as every:
            async for address in every:
                # IPv6 is asked for when IPv4 is used up: enough is known then.
                if found and (":" in address) != (":" in found[0]):
                    break

                found.append(address)
    except ResolveError as error:
        return error

    return found
