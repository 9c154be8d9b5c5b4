"""What the answers of DNS mean: the order of targets, denials, fall-backs, aliases, and how long answers are kept.

Pure functions over values (RFC 2782, RFC 6120 §3.2). Asking a name server is `resolve`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

XMPP_SERVER_PORT = 5269


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """One SRV record; `host` without the final dot, so "" is the target "."."""

    priority: int
    weight: int
    port: int
    host: str
    direct_tls: bool = False
    """It is one of the service ``xmpps-server`` (XEP-0368)."""


@dataclass(frozen=True, slots=True)
class Target:
    """A host and port to connect to; `published` when an SRV record names it."""

    host: str
    port: int
    published: bool = True
    direct_tls: bool = False
    """TLS begins at once, without STARTTLS (XEP-0368 §3)."""


class WithoutService(Enum):
    """Why there is no target of an SRV record to connect to."""

    NOT_PUBLISHED = "the name server says that there is no such record"
    NO_RESPONSE = "the name server did not answer the question"
    UNREACHABLE = "no target of the records could be connected to"


def order_targets(records: Sequence[ServiceRecord], entropy: random.Random) -> list[ServiceRecord]:
    """The records in the order in which to try them (RFC 2782, "Usage rules")."""
    ordered: list[ServiceRecord] = []

    # "A client MUST attempt to contact the target host with the lowest-numbered priority it can reach."
    for _, group in groupby(sorted(records, key=lambda record: record.priority), key=lambda record: record.priority):
        # "arrange all SRV RRs […] in any order, except that all those with weight 0 are placed at the beginning"
        waiting = sorted(group, key=lambda record: record.weight > 0)

        while waiting:
            ordered.append(waiting.pop(_chosen(waiting, entropy)))

    return ordered


def _chosen(waiting: Sequence[ServiceRecord], entropy: random.Random) -> int:
    """ "choose a uniform random number between 0 and the sum computed (inclusive), and select the RR whose running
    sum value is the first in the selected order which is greater than or equal to the random number selected" """
    total = sum(record.weight for record in waiting)

    if not total:
        # Records that all have weight 0 would be taken in the order of the answer; any order is allowed, so share.
        return entropy.randrange(len(waiting))

    number, running = entropy.randint(0, total), 0

    for index, record in enumerate(waiting):
        running += record.weight

        if running >= number:
            return index

    raise AssertionError("a running sum reaches its total")


def service_is_denied(records: Sequence[ServiceRecord]) -> bool:
    """Nothing but the target ".": "the service is decidedly not available" (RFC 6120 §3.2.1; there is one record then).

    Beside others it says nothing, and is passed over.
    """
    return not any(record.host for record in records)


def falls_back_to_address(reason: WithoutService) -> bool:
    """Whether the domain's own A and AAAA records are tried, at port 5269.

    RFC 6120 §3.2.1: without a response to the SRV query they SHOULD be; with one, "but […] not able to establish an
    XMPP connection using the data received", they SHOULD NOT.
    """
    return reason is not WithoutService.UNREACHABLE


def follows_aliases() -> bool:
    """Whether a CNAME leads to the name that it gives (RFC 1034 §3.6.2: "the query restarts")."""
    return True


def repeats_over_tcp() -> bool:
    """Whether a truncated answer is asked for again over TCP (RFC 2181 §9, RFC 7766 §5)."""
    return True


def kept_for(time_to_live: float) -> float:
    """How long an answer is used again, in seconds: its time to live and no longer (RFC 1035 §3.2.1)."""
    return time_to_live
