"""Decisions about a certificate that was good when its stream began (RFC 6120 §13.7.2.3). Pure.

Knows times in seconds. Does not know streams, nor how a certificate is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from simulator.xmpp.errors import StreamCondition


def next_look(interval: float, lasts: float | None) -> float | None:
    """In how many seconds it is looked at again, when it lasts so many more; None would be never.

    §13.7.2.3 has the date kept, and the revocation asked for "periodically": "every 24 hours" where nothing says
    otherwise. One look serves both, and none comes later than the end.
    """
    return interval if lasts is None else max(0.0, min(interval, lasts))


def is_over(expiry: datetime | None, now: datetime) -> bool:
    """Whether the first of the certificates has expired; RFC 5280 §4.1.2.5: notAfter itself still counts."""
    return expiry is not None and expiry < now


def lists_are_asked_again() -> bool:
    """§13.7.2.3: "close the stream if any such certificate has been revoked".

    COMPAT: the text names OCSP; we ask what is asked when streams begin, the lists of revoked certificates (§13.7.2).
    """
    return True


def end_of_trust(reasons: Sequence[str]) -> StreamCondition | None:
    """With which stream error the stream ends: §13.7.2.3: "with a stream error of <reset/>"."""
    return StreamCondition.RESET if reasons else None
