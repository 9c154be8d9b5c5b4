"""Kinds of certificates that are oddly put together: whoever reads them may refuse them, and must not fall over.

Knows structure and encoding. Names, dates, path and purposes are as they should be.
"""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509

from simulator.world.certificates.der import BOOLEAN, element
from simulator.world.certificates.request import Recipe, by_root

#: RFC 5280 §4.1.2.2 allows 20 octets
LONG_SERIAL = 1 << (40 * 8 - 2)

RECIPES: dict[str, Recipe] = {
    "v1": by_root(lambda request, draft: replace(draft, version=1)),
    "negative-serial": by_root(lambda request, draft: replace(draft, serial=-draft.serial)),
    "zero-serial": by_root(lambda request, draft: replace(draft, serial=0)),
    "long-serial": by_root(lambda request, draft: replace(draft, serial=LONG_SERIAL + draft.serial)),
    # X.690 §11.1: in DER the content of a BOOLEAN that is true is FF; this is BER.
    "not-der": by_root(
        lambda request, draft: draft.saying_raw(
            x509.BasicConstraints.oid,
            replace(draft.extensions[x509.BasicConstraints.oid], true=element(BOOLEAN, b"\x01")),
        )
    ),
    # RFC 5280 §4.1.2.6: with an empty subject the alternative names MUST be critical.
    "empty-subject": by_root(
        lambda request, draft: replace(draft, subject=x509.Name([])).saying_raw(
            x509.SubjectAlternativeName.oid,
            replace(draft.extensions[x509.SubjectAlternativeName.oid], critical=True),
        )
    ),
}
