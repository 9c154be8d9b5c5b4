"""Who is revoked, and the lists that say so: the file that a system is given, and those served over HTTP.

Knows serial numbers and CRLs (RFC 5280 §5). Does not know files, sockets, nor what is on a certificate.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from simulator.world.certificates.draft import Issuer
from simulator.world.certificates.keys import fresh_key
from simulator.world.certificates.request import CannotMint

#: Where lists are served when nobody said otherwise; `s2sim certificates` leaves it to you to serve them there.
ELSEWHERE = "http://crl.s2sim.example"
#: How many certificates can be revoked before they are minted: the file is read long before that.
FORESEEN = 128
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

#: list -> what it is, of those that are served
SERVED = {
    "current": "good: newer than the file, and holds whoever is revoked",
    "stale": "should have been renewed yesterday; holds nobody",
    "forged": "signed by somebody who has the authority's name and not its key",
    "silent": "never comes: the question is taken, and not answered",
}


@dataclass(frozen=True, kw_only=True)
class Dates:
    """When a list was made, and when the next one is due."""

    this_update: datetime
    next_update: datetime


class Register:
    """The authority's memory of whom it has revoked. Satisfies `request.Register`."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._foreseen = tuple(x509.random_serial_number() for _ in range(FORESEEN))
        self._numbers: Iterator[int] = iter(self._foreseen)
        self._served: set[int] = set()
        self._forged: set[int] = set()
        self._revoked: set[int] = set()
        self._editions = itertools.count(1)
        self._impostor = fresh_key()
        self.place: Callable[[], str] = lambda: ELSEWHERE
        """Gives the URL below which the lists are served; asked when a certificate needs it."""

    def revoked_serial(self) -> int:
        """A number that the file holds, whenever it was written; raises CannotMint after very many."""
        try:
            return next(self._numbers)
        except StopIteration:
            raise CannotMint(f"an authority knows {FORESEEN} revoked certificates beforehand, and no more") from None

    def serial_for(self, list_name: str) -> int:
        """A new number on the served list of this name."""
        number = x509.random_serial_number()
        (self._forged if list_name == "forged" else self._served).add(number)

        return number

    def url(self, domain: str, list_name: str) -> str:
        """Where a certificate of this domain says that the list is; the domain tells who has asked for it."""
        return f"{self.place()}/{domain}/{list_name}.crl"

    def revoke(self, serial: int) -> None:
        """From now on, be it in the file or served."""
        self._revoked.add(serial)

    def file(self) -> bytes:
        """The list for the file, PEM: an hour old, good for a day."""
        now = datetime.now(UTC)
        dates = Dates(this_update=now - HOUR, next_update=now + DAY)

        return self._signed({*self._foreseen, *self._revoked}, dates).public_bytes(Encoding.PEM)

    def served(self, list_name: str) -> bytes:
        """The list of this name, DER (RFC 5280 §4.2.1.13); raises LookupError for one that is not of SERVED."""
        now = datetime.now(UTC)
        fresh = Dates(this_update=now, next_update=now + DAY)

        if list_name == "current":
            found = self._signed({*self._foreseen, *self._revoked, *self._served}, fresh)
        elif list_name == "stale":
            found = self._signed((), Dates(this_update=now - 2 * DAY, next_update=now - DAY))
        elif list_name == "forged":
            found = self._signed(self._forged, fresh, self._impostor)
        else:
            raise LookupError(f"no list is called {list_name!r}; there are {', '.join(SERVED)}")

        return found.public_bytes(Encoding.DER)

    def _signed(
        self, serials: Iterable[int], dates: Dates, key: EllipticCurvePrivateKey | None = None
    ) -> x509.CertificateRevocationList:
        root = self._issuer
        own = x509.load_der_x509_certificate(root.certificate)
        key_identifier = own.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(root.name)
            .last_update(dates.this_update)
            .next_update(dates.next_update)
            # RFC 5280 §5.2.1, §5.2.3: both extensions MUST be there.
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_identifier), critical=False
            )
            .add_extension(x509.CRLNumber(next(self._editions)), critical=False)
        )

        for serial in sorted(serials):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(dates.this_update)
            builder = builder.add_revoked_certificate(entry.build())

        signing = key or root.key
        assert isinstance(signing, EllipticCurvePrivateKey)

        return builder.sign(signing, hashes.SHA256())
