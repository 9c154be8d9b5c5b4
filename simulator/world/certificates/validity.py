"""Kinds of certificates that differ in whether they are good at this moment: dates, and lists of revoked ones.

Knows time and revocation. Names, path and purposes are as they should be.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cryptography import x509

from simulator.world.certificates.draft import Draft
from simulator.world.certificates.request import Recipe, Request, Shown, by_root

YEAR, DAY, SECOND = timedelta(days=365), timedelta(days=1), timedelta(seconds=1)
#: how long a certificate is good that expires while it is in use
SOON = timedelta(seconds=6)
#: a host that the name server does not know
NOWHERE = "http://gone.s2sim.example"


def _good(start: timedelta, end: timedelta) -> Recipe:
    """Good from `start` to `end`, both counted from now."""
    return by_root(lambda request, draft: replace(draft, not_before=request.now + start, not_after=request.now + end))


def _revoked(request: Request) -> Shown:
    return request.by_root(replace(request.leaf(), serial=request.register.revoked_serial()))


def _pointing(draft: Draft, url: str) -> Draft:
    """With one distribution point (RFC 5280 §4.2.1.13)."""
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)

    return draft.saying(x509.CRLDistributionPoints([point]))


def _listed_at(list_name: str) -> Recipe:
    """With a serial number that the served list holds."""

    def recipe(request: Request) -> Shown:
        draft = replace(request.leaf(), serial=request.register.serial_for(list_name))

        return request.by_root(_pointing(draft, request.register.url(request.domain, list_name)))

    return recipe


def _points_to(list_name: str) -> Recipe:
    """With a serial number that no list holds."""
    return by_root(
        lambda request, draft: _pointing(draft, request.register.url(request.domain, list_name)),
    )


RECIPES: dict[str, Recipe] = {
    "expired": _good(-YEAR, -DAY),
    "just-expired": _good(-DAY, -SECOND),
    "expired-years-ago": _good(-10 * YEAR, -9 * YEAR),
    "expires-soon": _good(-DAY, SOON),
    "not-yet-valid": _good(DAY, YEAR),
    "backwards": _good(DAY, -DAY),
    "revoked": _revoked,
    "revoked-http": _listed_at("current"),
    "distribution-point": _points_to("current"),
    "crl-silent": _points_to("silent"),
    "crl-stale": _points_to("stale"),
    "crl-forged": _listed_at("forged"),
    "crl-unreachable": by_root(
        lambda request, draft: _pointing(draft, f"{NOWHERE}/{request.domain}/current.crl"),
    ),
}
