"""Kinds of certificates that differ in what they may be used for.

Knows key usage, extended key usage and other extensions. Names, dates and path are as they should be.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from simulator.world.certificates import der
from simulator.world.certificates.draft import CLIENT_AUTH, SERVER_AUTH, Extension, key_usage
from simulator.world.certificates.general_names import ON_XMPP_ADDR
from simulator.world.certificates.request import Recipe, by_root

EMAIL_PROTECTION, ANY = ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
#: an arc of our own below 2.25 (UUIDs, X.667), so that nobody knows it
UNHEARD_OF = x509.ObjectIdentifier("2.25.71432")

#: kind -> its extended key usage
EXTENDED_KEY_USAGE = {
    "no-client-auth": (SERVER_AUTH, EMAIL_PROTECTION),
    "server-auth-only": (SERVER_AUTH,),
    "client-auth-only": (CLIENT_AUTH,),
    "email-protection-only": (EMAIL_PROTECTION,),
    "any-eku": (ANY,),
    "xmppaddr-eku": (x509.ObjectIdentifier(ON_XMPP_ADDR),),
}


def _for(purposes: tuple[x509.ObjectIdentifier, ...]) -> Recipe:
    return by_root(lambda request, draft: draft.saying(x509.ExtendedKeyUsage(purposes)))


RECIPES: dict[str, Recipe] = {
    **{kind: _for(purposes) for kind, purposes in EXTENDED_KEY_USAGE.items()},
    "no-eku": by_root(lambda request, draft: draft.silent_on(ExtensionOID.EXTENDED_KEY_USAGE)),
    "no-key-usage": by_root(lambda request, draft: draft.silent_on(ExtensionOID.KEY_USAGE)),
    "wrong-key-usage": by_root(lambda request, draft: draft.saying(key_usage(content_commitment=True), critical=True)),
    "unknown-critical-extension": by_root(
        lambda request, draft: draft.saying_raw(UNHEARD_OF, Extension(value=der.NULL, critical=True))
    ),
    "unknown-extension": by_root(lambda request, draft: draft.saying_raw(UNHEARD_OF, Extension(value=der.NULL))),
    "must-staple": by_root(lambda request, draft: draft.saying(x509.TLSFeature([x509.TLSFeatureType.status_request]))),
}
