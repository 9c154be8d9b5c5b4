"""Stanzas that crossed the link and whose fate is not known yet: whoever loses the link must answer for them. Pure.

Knows numbers, stanzas and how much they weigh. Does not know the link, nor what the answer is.

RFC 6120 has no acknowledgement of a stanza. Within the gateway there is one (as the counters of XEP-0198 are one within
a stream): the front end says which of the edge's stanzas are settled. What is not, when the link is lost, may have
reached its reader or not; the edge then tells the sender that it did not. So a message may arrive although its
sender was told otherwise, and is never lost without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

#: what a stanza costs beside its octets, in octets, roughly: so that many small ones are not free
OVERHEAD = 1000


class Unsettled:
    """The account of one session of the link. `is_owed` says whose sender is told when a stanza is lost.

    `room` bounds what is kept, in octets of XML.
    """

    def __init__(self, is_owed: Callable[[Element], bool], room: int) -> None:
        self._is_owed, self._room = is_owed, room
        self._number = 0
        self._kept: dict[int, tuple[Element, int]] = {}
        self._size = 0

    def __len__(self) -> int:
        """How many stanzas are to be answered for."""
        return len(self._kept)

    @property
    def full(self) -> bool:
        """Nothing more may be sent before something is settled."""
        return self._size > self._room

    def sent(self, stanza: Element, size: int) -> None:
        """The next stanza was sent; `size` are its octets."""
        self._number += 1

        if self._is_owed(stanza):
            self._kept[self._number] = stanza, size + OVERHEAD
            self._size += size + OVERHEAD

    def settle(self, numbers: Iterable[int]) -> None:
        """The other end answers for these; numbers that mean nothing are passed over."""
        for number in numbers:
            _, size = self._kept.pop(number, (None, 0))
            self._size -= size

    def take_all(self) -> list[Element]:
        """What is left to answer for, in the order in which it was sent; nothing is left then."""
        left = [stanza for stanza, _ in self._kept.values()]
        self._kept.clear()
        self._size = 0

        return left
