"""What OpenSSL's own programs say of a certificate, and OpenSSL itself in a handshake."""

from __future__ import annotations

import contextlib
import re
import subprocess
from dataclasses import dataclass

from OpenSSL import SSL

from simulator.world.ca import CertificateAuthority, Minted
from simulator.world.certificates.catalogue import kind_of

NEEDS_IDN = {"wildcard-a-label", "xmppaddr-idn", "u-label", "idn"}
#: everything that OpenSSL can do, for peers that show what it would not send by itself
ANYTHING = b"ALL:@SECLEVEL=0"


def domain_for(kind: str) -> str:
    """A domain that this kind can be minted for."""
    if kind in NEEDS_IDN:
        return "xn--mnchen-3ya.far.example"

    return "192.0.2.7" if kind == "ip-address-only" else "im.far.example"


def openssl(*arguments: object) -> str:
    """What the program prints, on either channel."""
    command = ["openssl", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)

    return run.stdout + run.stderr


def faults(authority: CertificateAuthority, minted: Minted, *options: object) -> set[str]:
    """`openssl verify`: every fault as ``number@depth``; empty when it is content."""
    trust = ("-CAfile", authority.authority, "-no-CApath", "-no-CAstore")
    said = openssl("verify", *trust, *options, "-untrusted", minted.certificate, minted.certificate)
    found = {f"{number}@{depth}" for number, depth in re.findall(r"error (\d+) at (\d+) depth", said)}
    assert found or said.strip() == f"{minted.certificate}: OK", f"{minted.kind}: {said}"

    return found


def text_of(minted: Minted) -> str:
    """`openssl x509 -text` of the leaf."""
    assert kind_of(minted.kind)

    return openssl("x509", "-in", minted.certificate, "-noout", "-text")


@dataclass
class Handshake:
    """What each side of a TLS handshake made of the other's certificate: faults as ``number@depth``."""

    version: str
    seen_by_client: list[str]
    seen_by_server: list[str]


def shake_hands(authority: CertificateAuthority, minted: Minted) -> Handshake:
    """A handshake in memory in which both sides show the certificate, and take whatever is shown."""
    seen: dict[bool, list[str]] = {True: [], False: []}
    ends = [_end(authority, minted, seen, accepts=accepts) for accepts in (True, False)]

    for _ in range(6):
        for end, other in (ends, ends[::-1]):
            with contextlib.suppress(SSL.WantReadError):
                end.do_handshake()

            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(end.bio_read(1 << 20))

    for end in ends:
        end.do_handshake()

    return Handshake(ends[0].get_protocol_version_name(), seen[False], seen[True])


def _end(
    authority: CertificateAuthority, minted: Minted, seen: dict[bool, list[str]], *, accepts: bool
) -> SSL.Connection:
    def note(_: SSL.Connection, __: object, number: int, depth: int, good: int) -> bool:
        if not good:
            seen[accepts].append(f"{number}@{depth}")

        return True

    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(ANYTHING)
    # A ticket holds the client's certificate, and OpenSSL breaks off where that makes it larger than 64 KiB.
    context.set_options(SSL.OP_NO_TICKET)
    context.use_certificate_chain_file(str(minted.certificate))
    context.use_privatekey_file(str(minted.key))
    context.load_verify_locations(str(authority.authority))
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, note)
    end = SSL.Connection(context, None)

    if accepts:
        end.set_accept_state()
    else:
        end.set_connect_state()

    return end
