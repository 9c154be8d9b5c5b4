"""Kinds of certificates that differ in who signed them and in what is shown along with them.

Knows paths (RFC 5280 §6). Names, dates and purposes of the leaf are as they should be.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cryptography import x509

from simulator.world.certificates.draft import (
    Draft,
    Issuer,
    authority,
    below,
    key_usage,
    leaf,
    self_signed,
    subject,
)
from simulator.world.certificates.general_names import dns
from simulator.world.certificates.keys import fresh_key, usual_algorithm
from simulator.world.certificates.request import Recipe, Request, Shown, shown

#: intermediates of a chain that somebody may find too long; with leaf and root 22 certificates
LONG = 20


def _intermediate(request: Request, number: int = 1, path_length: int | None = None) -> Draft:
    name = subject(request.kind, f"Intermediate {number} of {request.domain}"[:64])

    return authority(name, fresh_key(), request.now, path_length)


def _stranger(name: x509.Name, request: Request) -> Issuer:
    return self_signed(authority(name, fresh_key(), request.now))


def _shown(request: Request, issuer: Issuer, *along: bytes) -> Shown:
    draft = request.leaf()

    return shown(draft, issuer.sign(draft), *along)


def _intermediate_shown(request: Request, draft: Draft) -> Shown:
    issuer = below(request.root, draft)

    return _shown(request, issuer, issuer.certificate)


def _self_signed(request: Request) -> Shown:
    draft = request.leaf()

    return shown(draft, self_signed(draft).certificate)


def _unknown(request: Request) -> Shown:
    return _shown(request, _stranger(subject("An authority that nobody knows"), request))


def _unknown_along(request: Request) -> Shown:
    issuer = _stranger(subject("An authority that nobody knows"), request)

    return _shown(request, issuer, issuer.certificate)


def _impostor(request: Request) -> Shown:
    issuer = _stranger(request.root.name, request)

    return _shown(request, issuer, issuer.certificate)


def _missing(request: Request) -> Shown:
    return _shown(request, below(request.root, _intermediate(request)))


def _two_intermediates(request: Request) -> tuple[Issuer, Issuer]:
    upper = below(request.root, _intermediate(request, 1))

    return upper, below(upper, _intermediate(request, 2))


def _unordered(request: Request) -> Shown:
    upper, lower = _two_intermediates(request)

    return _shown(request, lower, upper.certificate, lower.certificate)


def _with_root(request: Request) -> Shown:
    issuer = below(request.root, _intermediate(request))

    return _shown(request, issuer, issuer.certificate, request.root.certificate)


def _with_others(request: Request) -> Shown:
    issuer = below(request.root, _intermediate(request))
    others = [_stranger(subject(f"Stranger {number}"), request).certificate for number in (1, 2)]

    return _shown(request, issuer, others[0], issuer.certificate, others[1])


def _expired(request: Request) -> Shown:
    # The leaf outlives its issuer: every certificate of the path must be good now (RFC 5280 §6.1.3 (a)(2)).
    dated = replace(
        _intermediate(request),
        not_before=request.now - timedelta(days=400),
        not_after=request.now - timedelta(days=1),
    )

    return _intermediate_shown(request, dated)


def _not_an_authority(request: Request) -> Shown:
    draft = _intermediate(request).saying(x509.BasicConstraints(ca=False, path_length=None), critical=True)

    return _intermediate_shown(request, draft)


def _without_basic_constraints(request: Request) -> Shown:
    draft = _intermediate(request).silent_on(x509.BasicConstraints.oid)

    return _intermediate_shown(request, draft)


def _may_not_sign(request: Request) -> Shown:
    draft = _intermediate(request).saying(key_usage(digital_signature=True, crl_sign=True), critical=True)

    return _intermediate_shown(request, draft)


def _too_long(request: Request) -> Shown:
    upper = below(request.root, _intermediate(request, 1, path_length=0))
    lower = below(upper, _intermediate(request, 2))

    return _shown(request, lower, lower.certificate, upper.certificate)


def _by_leaf(request: Request) -> Shown:
    # Somebody's honest certificate, for another name, signs ours.
    honest = leaf(subject(request.kind), fresh_key(), request.now).named(dns(request.other_domain))

    return _intermediate_shown(request, honest)


def _constrained(request: Request) -> Shown:
    constraints = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.DNSName(request.domain)])

    return _intermediate_shown(request, _intermediate(request).saying(constraints, critical=True))


def _long(request: Request) -> Shown:
    issuer, chain = request.root, list[bytes]()

    for number in range(1, LONG + 1):
        issuer = below(issuer, _intermediate(request, number))
        chain.insert(0, issuer.certificate)

    return _shown(request, issuer, *chain)


def _authority_as_leaf(request: Request) -> Shown:
    usage = key_usage(digital_signature=True, key_cert_sign=True)

    return request.by_root(
        request.leaf().saying(x509.BasicConstraints(ca=True, path_length=None), usage, critical=True)
    )


def _authority_itself(request: Request) -> Shown:
    root = request.root

    return Shown(root.key, x509.load_der_x509_certificate(root.certificate).serial_number, (root.certificate,))


def _bit_flipped(request: Request) -> Shown:
    draft = request.leaf()
    certificate = bytearray(request.root.sign(draft, usual_algorithm(request.root.key)))
    # The signature stands last, so this is the lowest bit of its second number, and the encoding stays sound.
    certificate[-1] ^= 1

    return shown(draft, bytes(certificate))


RECIPES: dict[str, Recipe] = {
    "self-signed": _self_signed,
    "unknown-ca": _unknown,
    "unknown-ca-along": _unknown_along,
    "impostor-ca": _impostor,
    "intermediate": lambda request: _intermediate_shown(request, _intermediate(request)),
    "missing-intermediate": _missing,
    "intermediate-unordered": _unordered,
    "intermediate-with-root": _with_root,
    "intermediate-with-others": _with_others,
    "intermediate-expired": _expired,
    "intermediate-not-ca": _not_an_authority,
    "intermediate-no-basic-constraints": _without_basic_constraints,
    "intermediate-may-not-sign": _may_not_sign,
    "path-too-long": _too_long,
    "leaf-signed-by-leaf": _by_leaf,
    "name-constrained": _constrained,
    "long-chain": _long,
    "ca-as-leaf": _authority_as_leaf,
    "the-ca-itself": _authority_itself,
    "bad-signature": _bit_flipped,
}
