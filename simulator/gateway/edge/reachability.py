"""Which domains of partners were lost, and which came back. Pure.

Knows how many usable streams there are with each domain. Does not know the streams, nor who is told.

A domain is lost when its last stream ends otherwise than in order, or when it cannot be reached while there is none:
then nothing is known any more of its users. A stream that is closed in order says nothing of the kind: servers close
streams that are idle (RFC 6120 §4.4), and presence outlives them. One stream of several may break for reasons of its
own; when a server falls, all of them do. A domain is back as soon as a stream with it is usable, in either direction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable


class Reachability:
    """What is known of the domains. `on_lost` and `on_back` are told of each change once."""

    def __init__(self) -> None:
        self.on_lost: Callable[[str], None] = lambda _: None
        self.on_back: Callable[[str], None] = lambda _: None
        self._usable: Counter[str] = Counter()
        self._lost: set[str] = set()

    @property
    def lost(self) -> frozenset[str]:
        """The domains that are lost now."""
        return frozenset(self._lost)

    def opened(self, domain: str) -> None:
        """A stream with this domain became usable."""
        self._usable[domain] += 1

        if domain in self._lost:
            self._lost.discard(domain)
            self.on_back(domain)

    def closed(self, domain: str, *, in_order: bool) -> None:
        """A stream that was usable is so no longer."""
        self._usable[domain] -= 1

        if self._usable[domain] <= 0:
            del self._usable[domain]

            if not in_order:
                self._lose(domain)

    def failed(self, domain: str) -> None:
        """No stream to this domain could be had."""
        if domain not in self._usable:
            self._lose(domain)

    def _lose(self, domain: str) -> None:
        if domain not in self._lost:
            self._lost.add(domain)
            self.on_lost(domain)
