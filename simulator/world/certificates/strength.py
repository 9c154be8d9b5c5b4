"""Kinds of certificates that differ in their keys and in the algorithms that signed them.

Knows algorithms. Names, dates and purposes are as they should be.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from simulator.world.certificates.draft import Issuer, authority, below, subject
from simulator.world.certificates.keys import (
    ECDSA_SHA1,
    RSA_MD5,
    RSA_PSS,
    RSA_SHA1,
    Algorithm,
    PrivateKey,
    fresh_key,
    rsa_key,
)
from simulator.world.certificates.request import Recipe, Request, Shown, shown

WEAK_BITS = 1024


def _with_key(request: Request, key: PrivateKey) -> Shown:
    return request.by_root(request.leaf(key))


def _rsa_issuer(request: Request) -> Issuer:
    """Our root signs with ECDSA; what only RSA does comes from an intermediate with such a key."""
    return below(request.root, authority(subject(request.kind, "RSA intermediate"), rsa_key("issuer"), request.now))


def _by_rsa(request: Request, algorithm: Algorithm) -> Shown:
    draft, issuer = request.leaf(rsa_key("leaf")), _rsa_issuer(request)

    return shown(draft, issuer.sign(draft, algorithm), issuer.certificate)


def _by_sha1(request: Request) -> Shown:
    draft = request.leaf()

    return shown(draft, request.root.sign(draft, ECDSA_SHA1))


RECIPES: dict[str, Recipe] = {
    "ecdsa": lambda request: _with_key(request, fresh_key()),
    "ecdsa-p384": lambda request: _with_key(request, fresh_key(ec.SECP384R1())),
    "ed25519": lambda request: _with_key(request, ed25519.Ed25519PrivateKey.generate()),
    "rsa": lambda request: _with_key(request, rsa_key("leaf")),
    "rsa-pss": lambda request: _by_rsa(request, RSA_PSS),
    "weak-key": lambda request: _with_key(request, rsa_key("weak leaf", WEAK_BITS)),
    "p192": lambda request: _with_key(request, fresh_key(ec.SECP192R1())),
    "sha1": _by_sha1,
    "rsa-sha1": lambda request: _by_rsa(request, RSA_SHA1),
    "md5": lambda request: _by_rsa(request, RSA_MD5),
}
