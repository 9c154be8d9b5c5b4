"""Kinds of certificates that differ in whom they name; path, dates and purposes are as they should be.

Knows which names a kind holds. Does not know which of them may match: see `catalogue`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cryptography.x509.oid import ExtensionOID

from simulator.world.certificates.der import IA5_STRING
from simulator.world.certificates.draft import subject
from simulator.world.certificates.general_names import dns, ip_address, srv, uri, xmpp_addr
from simulator.world.certificates.request import CannotMint, Recipe, Request, by_root

MANY = 4096
#: somebody whose domain is served by the same server
TENANT = "tenant.example"

Names = Callable[[Request], tuple[bytes, ...]]


def _inner_wildcards(request: Request) -> tuple[bytes, ...]:
    first, _, rest = request.domain.partition(".")
    below = rest.partition(".")[2]
    ends = f"*.{below}" if below else "*"

    return dns(f"{first}.{ends}"), dns(f"*.{ends}")


def _wrong_levels(request: Request) -> tuple[bytes, ...]:
    two_up = request.above.partition(".")[2]

    return (*([dns(f"*.{two_up}")] if two_up else []), dns(f"*.sub.{request.domain}"))


def _wildcard_in_a_label(request: Request) -> tuple[bytes, ...]:
    first, _, rest = request.domain.partition(".")

    if not first.startswith("xn--"):
        raise CannotMint(f"{request.kind} needs a domain whose first label is an A-label, not {request.domain}")

    return (dns(f"{first[:-1]}*.{rest}"),)


def _partial_wildcard(request: Request) -> tuple[bytes, ...]:
    return (dns(f"{request.domain[0]}*.{request.above}"),)


def _mixed_case(request: Request) -> tuple[bytes, ...]:
    letters = (one.upper() if place % 2 else one.lower() for place, one in enumerate(request.domain))

    return (dns("".join(letters)),)


def _many(request: Request) -> tuple[bytes, ...]:
    # The one that matters comes last, where a limit would cut it off.
    return (*(dns(f"n{number}.many.example") for number in range(MANY)), dns(request.domain))


def _address(request: Request) -> tuple[bytes, ...]:
    try:
        return (ip_address(request.domain.strip("[]")),)
    except ValueError:
        raise CannotMint(f"{request.kind} needs an IP address for a domain, not {request.domain}") from None


def _idn(request: Request) -> tuple[bytes, ...]:
    assert request.unicode_domain

    return (dns(request.domain),)


#: kind -> the subject alternative names of its certificate
ALTERNATIVE_NAMES: dict[str, Names] = {
    "valid": lambda request: (dns(request.domain),),
    "wrong-name": lambda request: (dns(request.other_domain),),
    "parent-name": lambda request: (dns(request.above),),
    "child-name": lambda request: (dns(f"child.{request.domain}"),),
    "host-name-only": lambda request: (dns(request.host or f"xmpp.{request.domain}"),),
    "wildcard": lambda request: (dns(f"*.{request.above}"),),
    "wildcard-wrong-level": _wrong_levels,
    "wildcard-apex": lambda request: (dns(f"*.{request.domain}"),),
    "wildcard-inner-label": _inner_wildcards,
    "wildcard-partial": _partial_wildcard,
    "wildcard-alone": lambda request: (dns("*"),),
    "wildcard-a-label": _wildcard_in_a_label,
    "wildcard-srv-id": lambda request: (srv(f"_xmpp-server.*.{request.above}"),),
    "srv-id-only": lambda request: (srv(f"_xmpp-server.{request.domain}"),),
    "srv-id-client-only": lambda request: (srv(f"_xmpp-client.{request.domain}"),),
    "srv-id-case": lambda request: (srv(f"_XMPP-Server.{request.domain}"),),
    "xmppaddr-only": lambda request: (xmpp_addr(request.domain),),
    "xmppaddr-user": lambda request: (xmpp_addr(f"user@{request.domain}"), xmpp_addr(f"{request.domain}/resource")),
    "xmppaddr-ia5": lambda request: (xmpp_addr(request.domain, IA5_STRING),),
    "xmppaddr-idn": lambda request: (xmpp_addr(request.unicode_domain),),
    "uri-id-only": lambda request: (uri(f"xmpp:{request.domain}"),),
    "ip-address-only": _address,
    "mixed-case": _mixed_case,
    "trailing-dot": lambda request: (dns(f"{request.domain}."),),
    "nul-in-name": lambda request: (dns(f"{request.domain}\0.evil.example"),),
    "leading-space": lambda request: (dns(f" {request.domain}"),),
    "u-label": lambda request: (dns(request.unicode_domain.encode("utf-8")),),
    "idn": _idn,
    "many-sans": _many,
    "two-tenants": lambda request: (dns(TENANT), dns(request.domain)),
    "zero-length-san": lambda request: (dns(""),),
    "empty-san": lambda request: (),
}

#: kind -> unit and common names of a certificate without subject alternative names
SUBJECTS: dict[str, Callable[[Request], tuple[str, ...]]] = {
    "name-only-in-cn": lambda request: (request.kind, request.domain),
    "cn-in-ou": lambda request: (f"CN={request.domain},", request.other_domain),
    "several-cns": lambda request: (request.kind, request.other_domain, request.domain),
}


def _named(names: Names) -> Recipe:
    return by_root(lambda request, draft: draft.named(*names(request)))


def _only_in_subject(parts: Callable[[Request], tuple[str, ...]]) -> Recipe:
    return by_root(
        lambda request, draft: replace(draft, subject=subject(*parts(request))).silent_on(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    )


RECIPES: dict[str, Recipe] = {
    **{kind: _named(names) for kind, names in ALTERNATIVE_NAMES.items()},
    **{kind: _only_in_subject(parts) for kind, parts in SUBJECTS.items()},
    "cn-beside-other-san": by_root(
        lambda request, draft: replace(draft, subject=subject(request.kind, request.domain)).named(
            dns(request.other_domain)
        )
    ),
}
