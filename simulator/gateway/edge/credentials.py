"""What the edge shows in TLS, and what it makes of what peers show.

Knows certificate files, contexts made of them, and whom to ask about revocation. Does not know streams. The rules of
certificates are `trust`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator.gateway.configuration import Configuration
from simulator.gateway.edge.negotiation_rules import NegotiationRules
from simulator.gateway.settings import CertificateFiles
from simulator.gateway.trust.judgement import CertificateJudgement, Role, judge_certificate
from simulator.gateway.trust.revocation import Fetch, RevocationLists
from simulator.gateway.trust.rules import TrustRules
from simulator.wire.tls import PEM, TLSContext, TLSInfo, TLSOptions, client_context, server_context
from simulator.xmpp.address import dns_name


class Credentials:
    """The certificates of one edge, and its judgement of others. Nothing can be shown before `load`."""

    def __init__(
        self,
        configuration: Configuration,
        log: Callable[[str], None],
        *,
        trust: TrustRules,
        negotiation: NegotiationRules,
    ) -> None:
        self._configuration, self._log, self._trust, self._rules = configuration, log, trust, negotiation
        self._servers: dict[CertificateFiles, TLSContext] = {}
        self._clients: dict[tuple[CertificateFiles, bool], TLSContext] = {}
        self._direct_server: TLSContext | None = None
        self._lists: RevocationLists | None = None

    @property
    def available(self) -> bool:
        """Whether there is a certificate to show: without one, TLS is not spoken."""
        return self._configuration.certificates.external is not None

    def load(self, fetch: Fetch) -> None:
        """Read all files, as they are now; raises CertificateError, and OSError for secrets that cannot be logged."""
        settings = self._configuration.certificates

        if settings.external is None:
            return

        by_name: dict[str, tuple[PEM, PEM]] = {
            dns_name(domain): self._pair(files) for domain, files in settings.by_domain.items()
        }
        self._direct_server = self._server(settings.external, by_name, self._rules.tls_options(True))

        for files in {settings.external, *settings.by_domain.values()}:
            self._servers[files] = self._server(files, by_name, self._rules.tls_options(False))

            for direct in (False, True):
                self._clients[files, direct] = self._client(files, self._rules.tls_options(direct))

        self._lists = RevocationLists(
            settings.revocation_lists,
            fetch if settings.check_revocation else None,
            rules=self._trust,
            log=self._log,
            required=settings.require_revocation_lists,
            timeout=settings.revocation_timeout,
        )

    def _server(
        self, files: CertificateFiles, by_name: Mapping[str, tuple[PEM, PEM]], options: TLSOptions
    ) -> TLSContext:
        authority = self._configuration.certificates.authority

        return server_context(*self._pair(files), authority, by_name=by_name, options=options)

    def _client(self, files: CertificateFiles, options: TLSOptions) -> TLSContext:
        authority = self._configuration.certificates.authority
        certificate, key = self._pair(files) if self._rules.certificate_is_shown() else (None, None)

        return client_context(certificate, key, authority, require_peer=False, options=options)

    def _pair(self, files: CertificateFiles) -> tuple[PEM, PEM]:
        return self._rules.content_of(files.certificate), self._rules.content_of(files.key)

    def server(self, to: str) -> TLSContext:
        """What we show to a peer that says, or does not say, to which of our domains it wants."""
        return self._servers[self._files(to)]

    @property
    def direct_server(self) -> TLSContext:
        """What we show to a peer that begins with TLS, and can only say by SNI whom it wants."""
        assert self._direct_server is not None

        return self._direct_server

    def client(self, local: str, *, direct: bool = False) -> TLSContext:
        """What one of our domains shows to a peer that it dials; `direct`: TLS comes first (XEP-0368)."""
        return self._clients[self._files(local), direct]

    def _files(self, domain: str) -> CertificateFiles:
        settings = self._configuration.certificates
        assert settings.external is not None

        return self._rules.files_of(domain, settings.external, settings.by_domain)

    async def judge(self, info: TLSInfo | None, domain: str, role: Role) -> CertificateJudgement:
        """Whether the peer, in this role of the handshake, has proved to be a normalised domain.

        Takes as long as `RevocationLists.revoked` where lists have to be fetched.
        """
        revoked = await self.revoked(info) if info is not None else ()

        return judge_certificate(info, domain, role, rules=self._trust, revoked=revoked)

    async def revoked(self, info: TLSInfo) -> tuple[str, ...]:
        """Why the peer's certificate, or one above it, was taken back, as far as the lists say now."""
        return await self._lists.revoked(info) if self._lists is not None else ()
