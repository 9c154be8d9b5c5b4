"""The certificates of a partner and the TLS contexts made of them, for both roles.

Knows kinds of certificates by name and the options of TLS. Does not know streams, nor how a certificate is made:
that is the authority's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

from simulator.wire.tls import TLSContext, TLSOptions, client_context, server_context
from simulator.wire.tls_context import RECOMMENDED_CIPHERS, Version
from simulator.world.behaviour import Behaviour
from simulator.world.partner.spelling import as_in_dns

#: The protocol of direct TLS between servers (XEP-0368 §3).
ALPN = "xmpp-server"
#: A certificate of this kind is none at all.
NO_CERTIFICATE = "none"


class Minted(Protocol):
    """A certificate with what is sent after it, and its key: PEM files."""

    @property
    def certificate(self) -> Path:
        """The certificate, and its chain as far as it is sent."""

    @property
    def key(self) -> Path:
        """The private key."""


class Authority(Protocol):
    """Who makes the certificates of a world."""

    authority: Path

    def mint(self, kind: str, domain: str, *, host: str = "") -> Minted:
        """A certificate of a kind for a domain; raises LookupError for a kind that does not exist."""

    def revoke(self, minted: Any) -> None:
        """Put a certificate that it has made on the list of those that are revoked."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a partner speaks TLS on one connection."""

    domain: str
    """Whom the certificate is for."""
    certificate: str = "valid"
    options: TLSOptions = TLSOptions(check_strength=False)  # noqa: RUF009 - frozen

    def changed(self, given: dict[str, Any]) -> Terms:
        """As a step says: certificate, for, versions, ciphers, alpn, asks, sessions, renegotiates."""
        names = {"ciphers": "ciphers", "asks": "asks_for_certificate", "sessions": "sessions"}
        options: dict[str, Any] = {names[key]: value for key, value in given.items() if key in names}

        if "versions" in given:
            versions = given["versions"] if isinstance(given["versions"], list) else [given["versions"]]
            options |= {"least": str(versions[0]), "most": str(versions[-1])}
            options["ciphers"] = str(given.get("ciphers") or ciphers_for(str(versions[-1])))

        if "alpn" in given:
            alpn = given["alpn"] if isinstance(given["alpn"], list) else [given["alpn"]]
            options["application"] = tuple(str(one) for one in alpn if one is not None)

        if "renegotiates" in given:
            options["renegotiates"] = bool(given["renegotiates"])

        return replace(
            self,
            domain=str(given.get("for") or self.domain),
            certificate=str(given.get("certificate") or self.certificate),
            options=replace(self.options, **options),
        )


def ciphers_for(most: str) -> str:
    """Ciphers that a peer may have which speaks no newer TLS: those of RFC 9325 are not for TLS 1.1 and older."""
    return "DEFAULT" if most in ("TLSv1", "TLSv1.1") else RECOMMENDED_CIPHERS


class Papers:
    """What one partner shows of itself in TLS. Without an authority it has nothing to show."""

    def __init__(self, authority: Authority | None, behaviour: Behaviour, domains: Sequence[str], host: str) -> None:
        self._authority, self._behaviour, self._domains, self._host = authority, behaviour, domains, host
        self._contexts: dict[tuple[str, Terms], TLSContext] = {}
        self._own: list[Minted] = []

    def terms(self, domain: str = "", *, direct: bool = False) -> Terms:
        """What the behaviour says, for one of the partner's domains (the first if it is none of them)."""
        behaviour = self._behaviour
        options = TLSOptions(
            least=cast("Version", behaviour.least_tls),
            most=cast("Version", behaviour.most_tls),
            application=(ALPN,) if direct else (),
            asks_for_certificate=behaviour.asks_for_certificate,
            sessions=behaviour.keeps_sessions,
            check_strength=False,
        )

        return Terms(
            domain=as_in_dns(domain) if as_in_dns(domain) in self._domains else self._domains[0],
            certificate=behaviour.certificate,
            options=replace(options, ciphers=behaviour.ciphers or ciphers_for(behaviour.most_tls)),
        )

    def as_server(self, terms: Terms) -> TLSContext:
        """For the side that accepts: any certificate of the peer is taken, and looked at later."""
        key = "server", terms

        if key not in self._contexts:
            shown = self._minted(terms.certificate, terms.domain)
            # Other domains of ours are asked for by SNI only (RFC 6066 §3); STARTTLS knows them by the header, too.
            others = self._domains if terms.domain in self._domains else ()
            by_name = {name: self._minted(terms.certificate, name) for name in others if name != terms.domain}
            self._contexts[key] = server_context(
                shown.certificate,
                shown.key,
                self._trusted,
                by_name={name: (one.certificate, one.key) for name, one in by_name.items()},
                options=terms.options,
            )

        return self._contexts[key]

    def as_client(self, terms: Terms) -> TLSContext:
        """For the side that connects: any certificate of the server is taken, and goes on record."""
        key = "client", terms

        if key not in self._contexts:
            shown = None if terms.certificate == NO_CERTIFICATE else self._minted(terms.certificate, terms.domain)
            self._contexts[key] = client_context(
                shown.certificate if shown else None,
                shown.key if shown else None,
                self._trusted,
                require_peer=False,
                options=terms.options,
            )

        return self._contexts[key]

    def revoke(self) -> None:
        """Let the authority take back every certificate that was shown, or is ready to be."""
        for minted in self._own:
            assert self._authority is not None
            self._authority.revoke(minted)

    @property
    def _trusted(self) -> Path | None:
        return self._authority.authority if self._authority else None

    def _minted(self, kind: str, domain: str) -> Minted:
        if self._authority is None:
            raise LookupError("nobody is there to make a certificate")

        # A server cannot do TLS without one: who has none shows one that nobody trusts (RFC 6120 §5.4.3.1).
        minted = self._authority.mint("self-signed" if kind == NO_CERTIFICATE else kind, domain, host=self._host)
        self._own.append(minted)

        return minted
