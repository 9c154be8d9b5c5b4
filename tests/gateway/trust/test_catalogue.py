"""Every kind of certificate that a partner can show, shown to the gateway's judgement in real handshakes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.gateway.trust.judgement import Role, judge_certificate
from simulator.gateway.trust.revocation import RevocationLists
from simulator.gateway.trust.rules import TrustRules
from simulator.wire.fetch import FetchError
from simulator.wire.tls import TLSError, TLSInfo, TLSOptions, TLSSession, client_context, server_context
from simulator.world.ca import CertificateAuthority, Minted
from simulator.world.certificates.catalogue import KINDS
from simulator.world.certificates.request import CannotMint

RULES = TrustRules()
#: the first of these that a kind can be minted for
DOMAINS = ("sub.far.example", "xn--bcher-kva.example", "127.0.0.5")
#: what we choose where the texts leave a choice; all others of these are refused
TAKEN = {
    "wildcard", "wildcard-srv-id", "xmppaddr-only", "xmppaddr-idn", "many-sans", "long-chain", "no-client-auth",
    "server-auth-only", "any-eku", "xmppaddr-eku", "must-staple", "ecdsa-p384", "ed25519", "crl-unreachable",
    "crl-silent", "crl-stale", "crl-forged", "negative-serial", "zero-serial", "long-serial",
    "empty-subject",
}  # fmt: skip
#: what no handshake of ours can show: for p192 see `test_fitness`, and not-der is no certificate to cryptography
NEVER_SHOWN = {"p192", "not-der"}


@pytest.fixture(scope="module")
def authority() -> Iterator[CertificateAuthority]:
    with CertificateAuthority() as authority:
        yield authority


def shown(minted: Minted, role: Role, authority: CertificateAuthority) -> TLSInfo:
    """What the other side sees when a certificate is shown in this role; raises TLSError."""
    own, weak = authority.issue("us.example"), TLSOptions(check_strength=False)

    if role is Role.CLIENT:
        judging = TLSSession(server_context(own.certificate, own.key, authority.authority))
        showing = TLSSession(client_context(minted.certificate, minted.key, require_peer=False, options=weak))
    else:
        judging = TLSSession(client_context(own.certificate, own.key, authority.authority, require_peer=False))
        showing = TLSSession(server_context(minted.certificate, minted.key, options=weak))

    for side in (judging, showing):
        side.start()

    for _ in range(8):
        showing.receive(judging.outgoing())
        judging.receive(showing.outgoing())

    assert judging.info is not None

    return judging.info


def mint(kind: str, authority: CertificateAuthority) -> tuple[Minted, str]:
    for domain in DOMAINS:
        try:
            return authority.mint(kind, domain, host="xmpp.host.example"), domain
        except CannotMint:
            continue

    raise AssertionError(f"no domain for {kind}")


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - NEVER_SHOWN))
async def test_kind_is_judged_as_the_texts_have_it(kind: str, role: Role, authority: CertificateAuthority) -> None:
    minted, domain = mint(kind, authority)
    wanted = KINDS[kind].acceptable_as_client if role is Role.CLIENT else KINDS[kind].acceptable_as_server

    async def fetch(url: str, *, timeout: float, at_most: int) -> bytes:
        try:
            return authority.served_list(url.rpartition("/")[2].removesuffix(".crl"))
        except LookupError as error:
            raise FetchError(f"{url}: {error}") from None

    lists = RevocationLists([authority.revocation_list], fetch, rules=RULES, log=print)

    try:
        info = shown(minted, role, authority)
    except TLSError:
        # What OpenSSL does not even take in proves nothing either.
        assert not wanted
        return

    judgement = judge_certificate(info, domain, role, rules=RULES, revoked=await lists.revoked(info))

    assert judgement.acceptable is (kind in TAKEN if wanted is None else wanted), str(judgement)
