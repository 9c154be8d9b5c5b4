"""The lists of revoked certificates that are known: from files, and over HTTP from where certificates say.

Knows files, places and how long a list is kept. What a list is worth and says is `revocation_list`; how it is fetched
is the caller's. Nothing is fetched on the word of a certificate that no authority of ours vouches for: a stranger
could send us anywhere with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509

from simulator.gateway.trust.judgement import is_trusted
from simulator.gateway.trust.revocation_list import CRL, parse_lists, serial_of, urls
from simulator.gateway.trust.rules import TrustRules
from simulator.wire.fetch import FetchError
from simulator.wire.tls import CertificateError
from simulator.wire.tls_peer import TLSInfo

#: one list: seconds it may take, bytes it may have
MOST_BYTES = 10 * 1024 * 1024
#: a list that could not be had is not asked for again before this
RETRY_AFTER = timedelta(minutes=1)
#: RFC 6120 §13.7.2.3 has peers ask "every 24 hours" where nothing says when: no list is kept for longer.
KEPT_AT_MOST = timedelta(hours=24)
MOST_PLACES = 256

_NEVER = datetime.min.replace(tzinfo=UTC)


class Fetch(Protocol):
    """`wire.fetch.fetch` with a resolver: what is at a URL, or FetchError when that is not to be had."""

    async def __call__(self, url: str, *, timeout: float, at_most: int) -> bytes: ...


@dataclass(slots=True)
class _Place:
    """What was last had from one URL. Whoever fetches holds the lock, so that all others wait for his answer."""

    lists: tuple[CRL, ...] = ()
    until: datetime = _NEVER
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class _File:
    """What was last read from one file, and when that was written (nanoseconds)."""

    path: Path
    lists: tuple[CRL, ...]
    written: int


class RevocationLists:
    """Asks all lists that are known about the certificates of a peer.

    `files` (PEM or DER) are read again when they changed; raises CertificateError when one holds no list now. Without
    `fetch` there are only files. `required`: what no current list covers is refused (`require-revocation-lists`).
    """

    def __init__(
        self,
        files: Iterable[str | Path],
        fetch: Fetch | None = None,
        *,
        rules: TrustRules,
        log: Callable[[str], None],
        required: bool = False,
        timeout: float = 5.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._fetch, self._rules, self._log, self._required, self._now = fetch, rules, log, required, now
        self._timeout = timeout
        self._files = [_read(Path(file)) for file in files]
        self._places: dict[str, _Place] = {}

    async def revoked(self, info: TLSInfo) -> tuple[str, ...]:
        """Why the peer's certificate, or one above it, must not be relied on any more; empty when nothing is known.

        Takes at most `timeout` for each place that is not known yet, and no time at all for others, so it may be
        asked again while a stream lives (RFC 6120 §13.7.2.3).
        """
        if not is_trusted(info, self._rules):
            return ()

        # The last of the path is trusted for being in our file; nobody could revoke it.
        steps = list(zip(info.path, info.path[1:], strict=False))
        found = await asyncio.gather(
            *(self._judge(_named(depth), certificate, issuer) for depth, (certificate, issuer) in enumerate(steps))
        )

        return tuple(reason for reason in found if reason)

    async def _judge(self, name: str, certificate: x509.Certificate, issuer: x509.Certificate) -> str:
        known = self._usable(self._filed(), certificate, issuer)

        if self._fetch is not None and not self._are_listing(known, certificate):
            known += await self._fetched(certificate, issuer, self._fetch)

        if self._are_listing(known, certificate):
            return f"{name} is revoked"

        if known:
            return ""

        serial = f"serial number {serial_of(certificate):x}"
        nothing = f"no current list of revoked certificates is to be had for {name} ({serial})"

        if self._rules.refuses_without_list(self._required):
            return nothing

        if urls(certificate):
            self._log(f"{nothing}: taken without")

        return ""

    def _are_listing(self, lists: Sequence[CRL], certificate: x509.Certificate) -> bool:
        return any(self._rules.is_listed(crl, certificate) for crl in lists)

    def _usable(self, lists: Iterable[CRL], certificate: x509.Certificate, issuer: x509.Certificate) -> list[CRL]:
        """Those lists that can tell whether the certificate is revoked; the dearest question comes last."""
        rules, now = self._rules, self._now()

        return [
            crl
            for crl in lists
            if rules.list_is_complete(crl)
            and rules.list_covers(crl, certificate)
            and rules.list_is_current(crl, now)
            and rules.list_is_issued_by(crl, issuer)
        ]

    async def _fetched(self, certificate: x509.Certificate, issuer: x509.Certificate, fetch: Fetch) -> list[CRL]:
        """The first usable list: the places of a certificate are alternatives (RFC 5280 §4.2.1.13)."""
        for url in urls(certificate):
            lists = self._usable(await self._lists_at(url, fetch), certificate, issuer)

            if lists:
                return lists

        return []

    async def _lists_at(self, url: str, fetch: Fetch) -> tuple[CRL, ...]:
        place = self._place(url)

        async with place.lock:
            if place.until <= self._now():
                await self._renew(url, place, fetch)

        return place.lists

    async def _renew(self, url: str, place: _Place, fetch: Fetch) -> None:
        try:
            place.lists = parse_lists(await fetch(url, timeout=self._timeout, at_most=MOST_BYTES))
        except (FetchError, ValueError) as error:
            # What was had before may still hold; whether it does is asked at every use.
            place.until = self._now() + RETRY_AFTER
            self._log(f"no list of revoked certificates is at {url}: {error}")
        else:
            now = self._now()
            ends = [crl.next_update_utc for crl in place.lists if crl.next_update_utc is not None]
            place.until = max(min([*ends, now + KEPT_AT_MOST]), now + RETRY_AFTER)

    def _place(self, url: str) -> _Place:
        if url not in self._places and len(self._places) >= MOST_PLACES:
            self._forget_one()

        return self._places.setdefault(url, _Place())

    def _forget_one(self) -> None:
        oldest = next((url for url, place in self._places.items() if not place.lock.locked()), None)

        if oldest is not None:
            del self._places[oldest]

    def _filed(self) -> Iterator[CRL]:
        for file in self._files:
            try:
                if file.path.stat().st_mtime_ns != file.written:
                    renewed = _read(file.path)
                    file.lists, file.written = renewed.lists, renewed.written
            except (OSError, CertificateError) as error:
                self._log(f"{error}: what it held before is used")

            yield from file.lists


def _read(path: Path) -> _File:
    try:
        written = path.stat().st_mtime_ns

        return _File(path, parse_lists(path.read_bytes()), written)
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise CertificateError(f"{path}: holds no list of revoked certificates: {error}") from None


def _named(depth: int) -> str:
    return "the certificate" if depth == 0 else f"certificate {depth} of the path"
