"""Every kind of certificate that can be minted: what it is, and whether a federated domain may show it.

Knows what the texts say of each kind. Does not know how any of them is made.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

#: Name; acceptable from a TLS client, from a TLS server; where that is said. Below: what it is; what leaves it open.
#: Acceptable is judged as by a system that trusts our authority and checks the lists of revoked certificates.
TABLE = """\
== names
valid                             yes  yes   RFC 6120 §13.7.1.2.1
    as it should be: a DNS-ID, both purposes, a year
wrong-name                        no   no    RFC 6125 §6.6.3
    its DNS-ID is not-DOMAIN
parent-name                       no   no    RFC 6125 §6.4.1
    its DNS-ID is the domain above
child-name                        no   no    RFC 6125 §6.4.1
    its DNS-ID is a domain below
host-name-only                    no   no    RFC 6120 §13.7.2.1, RFC 6125 §6.2.1
    its DNS-ID is the host that the SRV record names, which unsigned DNS proves nothing about
name-only-in-cn                   open open  RFC 6125 §6.4.4, RFC 9525 §4.1
    the domain is its common name, and there is no subject alternative name
    open: RFC 6125 lets it be taken as a last resort, RFC 9525 does not
cn-beside-other-san               no   no    RFC 6125 §6.4.4
    the domain is its common name, and its DNS-ID is another
cn-in-ou                          no   no    RFC 6125 §6.4.4
    its organizational unit is the text "CN=DOMAIN,", its common name is another domain (CVE-2025-59154)
several-cns                       open open  RFC 6125 §6.4.4, §7.4
    two common names, the domain is the second, and there is no subject alternative name
    open: RFC 6125 lets common names be taken as a last resort and discourages several, RFC 9525 has none
wildcard                          open open  RFC 6120 §13.7.1.2.1, RFC 6125 §6.4.3
    its DNS-ID has "*" in place of the domain's first label
    open: certificates MAY contain it, and whoever verifies them MAY match it
wildcard-wrong-level              no   no    RFC 6125 §6.4.3
    DNS-IDs with "*" one level above and one below the domain's own
wildcard-apex                     no   no    RFC 6125 §6.4.3
    its DNS-ID is *.DOMAIN, which is not the domain itself
wildcard-inner-label              no   no    RFC 6125 §6.4.3
    "*" in a label that is not the first
wildcard-partial                  open open  RFC 6125 §6.4.3, RFC 9525 §6.3
    "*" after the first letter of the first label
    open: RFC 6125 lets it match, RFC 9525 and RFC 6120 know "*" as a complete label only
wildcard-alone                    no   no    RFC 6125 §6.4.3, §7.2
    its DNS-ID is "*" and nothing else
wildcard-a-label                  no   no    RFC 6125 §6.4.3, §7.2
    "*" inside of an A-label; needs such a domain
wildcard-srv-id                   open open  RFC 4985 §2, RFC 6125 §6.4.3
    its SRV-ID has "*" in place of the domain's first label
    open: RFC 6125 speaks of the domain name portion of every type, RFC 4985 has no wildcards
srv-id-only                       yes  yes   RFC 6120 §13.7.1.2.1
    an SRV-ID for _xmpp-server, and no DNS-ID
srv-id-client-only                no   no    RFC 6125 §6.5
    an SRV-ID for _xmpp-client, and no other name
srv-id-case                       yes  yes   RFC 6125 §6.5.1
    an SRV-ID for _XMPP-Server
xmppaddr-only                     open open  RFC 6120 §13.7.1.2.1
    the domain as XmppAddr, and no other name
    open: support "is encouraged", no more
xmppaddr-user                     no   no    RFC 6120 §13.7.2.1
    XmppAddrs of a user and of a resource at the domain
xmppaddr-ia5                      open open  RFC 6120 §13.7.1.4
    the domain as XmppAddr, encoded as IA5String
    open: "XmppAddr ::= UTF8String", and nothing says what becomes of another type
xmppaddr-idn                      open open  RFC 6120 §13.7.1.4, RFC 6125 §6.4.2
    an internationalized domain as XmppAddr, in U-labels
    open: support of XmppAddr "is encouraged", no more
uri-id-only                       no   no    RFC 6120 §13.7.1.2.1
    xmpp:DOMAIN as URI-ID, which is no identifier type of XMPP
ip-address-only                   open open  RFC 6125 §1.7.2
    an IP address; needs one for a domain
    open: RFC 6125 leaves addresses out, RFC 9525 has them
mixed-case                        yes  yes   RFC 6125 §6.4.1
    a DNS-ID in small letters and capitals
trailing-dot                      no   no    RFC 5280 §4.2.1.6
    its DNS-ID ends with a dot, which "preferred name syntax" has not
nul-in-name                       no   no    RFC 5280 §4.2.1.6
    its DNS-ID is the domain, NUL, and another: whoever stops at NUL is deceived
leading-space                     no   no    RFC 5280 §4.2.1.6
    a space stands before the domain
u-label                           no   no    RFC 5280 §7.2
    an internationalized domain in raw UTF-8 where A-labels belong
idn                               yes  yes   RFC 6125 §6.4.2
    an internationalized domain in A-labels
many-sans                         open open  RFC 5280 §4.2.1.6
    4096 other DNS-IDs, then the domain
    open: no text limits it, and every implementation does
two-tenants                       yes  yes   RFC 6125 §7.4
    tenant.example, and the domain
zero-length-san                   no   no    RFC 5280 §4.2.1.6
    its only DNS-ID is empty
empty-san                         no   no    RFC 5280 §4.2.1.6
    no name at all in its subject alternative names
== paths
self-signed                       no   no    RFC 6120 §13.7.2
    signed by its own key
unknown-ca                        no   no    RFC 6120 §13.7.2
    signed by an authority that nobody trusts
unknown-ca-along                  no   no    RFC 6120 §13.7.2
    signed by an authority that nobody trusts, whose own certificate is shown along
impostor-ca                       no   no    RFC 5280 §6.1.3
    signed by an authority with the name of the trusted one, and a key of its own
intermediate                      yes  yes   RFC 5280 §6.1
    signed by an intermediate, which is shown along
missing-intermediate              no   no    RFC 6120 §13.7.2
    signed by an intermediate that is not shown
intermediate-unordered            yes  yes   RFC 8446 §4.4.2
    two intermediates, the upper one first
intermediate-with-root            yes  yes   RFC 8446 §4.4.2
    an intermediate, and the root along
intermediate-with-others          yes  yes   RFC 8446 §4.4.2
    an intermediate among certificates that have nothing to do with it
intermediate-expired              no   no    RFC 5280 §6.1.3
    signed by an intermediate that was good until yesterday
intermediate-not-ca               no   no    RFC 5280 §6.1.4
    signed by an intermediate with CA:FALSE
intermediate-no-basic-constraints no   no    RFC 5280 §6.1.4
    signed by an intermediate that does not say that it is an authority
intermediate-may-not-sign         no   no    RFC 5280 §6.1.4
    signed by an intermediate whose key usage is without keyCertSign
path-too-long                     no   no    RFC 5280 §6.1.4
    two intermediates where the upper one allows none below it
leaf-signed-by-leaf               no   no    RFC 5280 §6.1.4
    signed with somebody's good certificate for another domain
name-constrained                  no   no    RFC 5280 §6.1.4
    signed by an intermediate that may not sign for this domain
long-chain                        open open  RFC 5280 §6.1
    20 intermediates
    open: no text limits it, and every implementation does
ca-as-leaf                        no   no    RFC 6120 §13.7.1.1, §13.7.2
    CA:TRUE, and shown as a server's own
the-ca-itself                     no   no    RFC 6120 §13.7.1.1, §13.7.2
    the trusted authority's own certificate, which names nobody
bad-signature                     no   no    RFC 6120 §13.7.2
    one bit of the signature is flipped
== purposes
no-client-auth                    open yes   RFC 5280 §4.2.1.12
    extended key usage: serverAuth, emailProtection
    open: RFC 5280 wants the purpose; authorities leave clientAuth out, so the network takes it without
server-auth-only                  open yes   RFC 5280 §4.2.1.12
    extended key usage: serverAuth
    open: RFC 5280 wants the purpose; authorities leave clientAuth out, so the network takes it without
client-auth-only                  yes  no    RFC 5280 §4.2.1.12
    extended key usage: clientAuth
email-protection-only             no   no    RFC 5280 §4.2.1.12
    extended key usage: emailProtection
any-eku                           open open  RFC 5280 §4.2.1.12
    extended key usage: anyExtendedKeyUsage
    open: it restricts nothing, and whoever requires a purpose MAY reject it
no-eku                            yes  yes   RFC 6120 §13.7.1, RFC 5280 §4.2.1.12
    no extended key usage
xmppaddr-eku                      open open  RFC 6120 §13.7.1.4
    extended key usage: id-on-xmppAddr
    open: it MAY limit a certificate to XMPP, and most know nothing of it
no-key-usage                      yes  yes   RFC 5280 §4.2.1.3
    no key usage
wrong-key-usage                   no   no    RFC 5280 §4.2.1.3
    key usage: contentCommitment
unknown-critical-extension        no   no    RFC 5280 §4.2
    a critical extension that nobody knows
unknown-extension                 yes  yes   RFC 5280 §4.2
    an extension that nobody knows, not critical
must-staple                       open open  RFC 7633 §4.2.3
    demands a stapled OCSP response, and comes without one
    open: only those who ask for a status are bound, and a client gets none asked for
== strength
ecdsa                             yes  yes   RFC 8446 §9.1
    a key on P-256
ecdsa-p384                        open open  RFC 8446 §9.1
    a key on P-384
    open: not among the algorithms that must be supported
ed25519                           open open  RFC 8446 §9.1
    an Ed25519 key
    open: not among the algorithms that must be supported
rsa                               yes  yes   RFC 8446 §9.1
    an RSA key of 2048 bits
rsa-pss                           yes  yes   RFC 8446 §9.1
    an RSA key of 2048 bits; an RSA intermediate signed with RSASSA-PSS
weak-key                          no   no    RFC 9325 §4.5, RFC 6120 §13.7.1.1
    an RSA key of 1024 bits
p192                              no   no    RFC 8422 §5.1.1
    a key on P-192; for use elsewhere, as no handshake of ours can show it
sha1                              no   no    RFC 8446 §4.4.2.4, RFC 6120 §13.7.1.1
    signed with ECDSA over SHA-1
rsa-sha1                          no   no    RFC 8446 §4.4.2.4, RFC 6120 §13.7.1.1
    an RSA intermediate signed over SHA-1
md5                               no   no    RFC 8446 §4.4.2.4
    an RSA intermediate signed over MD5
== validity
expired                           no   no    RFC 6120 §13.7.2, RFC 5280 §6.1.3
    was good until yesterday
just-expired                      no   no    RFC 6120 §13.7.2, RFC 5280 §6.1.3
    was good until a second ago
expired-years-ago                 no   no    RFC 6120 §13.7.2, RFC 5280 §6.1.3
    was good until nine years ago
expires-soon                      yes  yes   RFC 6120 §13.7.2.3
    good for six seconds more when it is minted, and minted anew each time
not-yet-valid                     no   no    RFC 6120 §13.7.2, RFC 5280 §6.1.3
    good from tomorrow on
backwards                         no   no    RFC 5280 §6.1.3
    good from tomorrow on until yesterday
revoked                           no   no    RFC 6120 §13.7.2
    on the authority's list of revoked certificates, the file
revoked-http                      no   no    RFC 6120 §13.7.2, RFC 5280 §4.2.1.13
    on the list at its distribution point, and not in the file, which is older
distribution-point                yes  yes   RFC 5280 §4.2.1.13
    has a distribution point, and is not on the list there
crl-unreachable                   open open  RFC 6120 §13.7.2
    its distribution point is at a host that does not exist
    open: revocation must be checked, and nothing says what follows when it cannot be
crl-silent                        open open  RFC 6120 §13.7.2
    its distribution point takes the question and never answers
    open: revocation must be checked, and nothing says what follows when it cannot be
crl-stale                         open open  RFC 6120 §13.7.2
    the list at its distribution point should have been renewed yesterday
    open: revocation must be checked, and nothing says what follows when it cannot be
crl-forged                        open open  RFC 6120 §13.7.2
    is on the list at its distribution point, which somebody else has signed
    open: that list says nothing, and nothing says what follows without one
== structure
v1                                no   no    RFC 6125 §6.6.3
    X.509 version 1: no extensions, so no names
negative-serial                   open open  RFC 5280 §4.1.2.2
    its serial number is below zero
    open: it MUST be positive, and whoever reads it SHOULD handle it gracefully
zero-serial                       open open  RFC 5280 §4.1.2.2
    its serial number is zero
    open: it MUST be positive, and whoever reads it SHOULD handle it gracefully
long-serial                       open open  RFC 5280 §4.1.2.2
    its serial number has 40 octets
    open: more than 20 MUST NOT be used, and nobody must be able to handle them
not-der                           open open  RFC 5280 §4.1
    BER where DER belongs: a TRUE that is 01 and not FF
    open: certificates are DER, and nothing says how strictly it is read
empty-subject                     open open  RFC 6120 §13.7.1.1, RFC 5280 §4.1.2.6
    no subject; its alternative names are critical, as they must be then
    open: RFC 6120 forbids it, RFC 5280 allows it, and public authorities issue it
"""

WORDS = {"yes": True, "no": False, "open": None}


class UnknownKind(LookupError):  # noqa: N818 - says what is the matter
    """No kind of certificate has this name; the text names the nearest."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of certificate, and what the texts say of it."""

    name: str
    says: str
    group: str
    """What differs: names, paths, purposes, strength, validity or structure."""
    source: str
    """The sections that say so."""
    acceptable_as_client: bool | None
    """Whether a TLS client may show it for its domain (SASL EXTERNAL); None where the texts leave it open."""
    acceptable_as_server: bool | None
    """Whether a TLS server may; None where the texts leave it open."""
    leeway: str = ""
    """What leaves it open."""


def _read(table: str) -> Iterator[Kind]:
    group = ""
    lines = iter(table.splitlines())

    for line in lines:
        if line.startswith("=="):
            group = line.strip("= ")
            continue

        name, client, server, source = line.split(maxsplit=3)
        says = next(lines).strip()
        undecided = "open" in (client, server)
        yield Kind(
            name=name,
            says=says,
            group=group,
            source=source,
            acceptable_as_client=WORDS[client],
            acceptable_as_server=WORDS[server],
            leeway=next(lines).strip().removeprefix("open: ") if undecided else "",
        )


KINDS: dict[str, Kind] = {kind.name: kind for kind in _read(TABLE)}


def kind_of(name: str) -> Kind:
    """The kind of this name; raises UnknownKind."""
    if name in KINDS:
        return KINDS[name]

    close = difflib.get_close_matches(name, KINDS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "`s2sim certificates` lists them"

    raise UnknownKind(f"no kind of certificate is called {name!r}; {hint}")
