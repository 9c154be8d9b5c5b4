"""Performance counters: how often something happened, in all and lately. Pure; time is an argument, in seconds.

Knows the counters by the names that Windows shows for Lync Server 2013, as far as they are public, and ours by names of
our own: nothing here pretends to be Microsoft's that is not.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from enum import Enum

#: seconds over which a rate is taken, as `typeperf` is wont to be read
WINDOW = 60.0


@dataclass(frozen=True)
class Name:
    """The object of a counter, and the counter; both as Performance Monitor has them."""

    object: str
    counter: str


PROXY_STREAMS = "LS:XmppFederationProxy - Streams"
SIP_MESSAGING = "LS:XmppFederation - SIP Instant Messaging"
OURS = "s2sim - Gateway"


class Count(Enum):
    """What is counted. The first three are Lync's; the pages that name them say no more than their names."""

    FAILED_OUTBOUND = Name(PROXY_STREAMS, "Failed outbound stream establishes/sec")
    """A pair of domains for which no stream to the partner could be had."""
    FAILED_INBOUND = Name(PROXY_STREAMS, "Failed inbound stream establishes/sec")
    """A stream of a partner that ended, otherwise than in order, before anything was authorised on it; no connection
    on which the peer never said a word, unless that was waited for in vain."""
    FAILURE_REPORTS = Name(SIP_MESSAGING, "Failure IMDNs sent/sec")
    """A message of a user inside of whose failure the user was told."""
    STANZAS_IN = Name(OURS, "Stanzas received from partners/sec")
    STANZAS_OUT = Name(OURS, "Stanzas sent to partners/sec")
    NOT_DELIVERED = Name(OURS, "Stanzas of partners answered with an error by the edge/sec")


class Counters:
    """The counters of one process."""

    def __init__(self) -> None:
        self._totals: Counter[Count] = Counter()
        self._lately: deque[tuple[int, Counter[Count]]] = deque()

    def count(self, what: Count, now: float) -> None:
        """It has happened once more."""
        second = int(now)
        self._totals[what] += 1

        if not self._lately or self._lately[-1][0] != second:
            self._forget(now)
            self._lately.append((second, Counter()))

        self._lately[-1][1][what] += 1

    def total(self, what: Count) -> int:
        """How often it has happened."""
        return self._totals[what]

    def rate(self, what: Count, now: float) -> float:
        """How often it has happened a second, over the last `WINDOW` seconds."""
        self._forget(now)

        return sum(bucket[what] for _, bucket in self._lately) / WINDOW

    def _forget(self, now: float) -> None:
        while self._lately and self._lately[0][0] < now - WINDOW:
            self._lately.popleft()
