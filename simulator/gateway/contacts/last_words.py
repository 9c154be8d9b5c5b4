"""What is still to be said to contacts: that a user, or one of his devices, is gone (RFC 6121 §4.5, §4.6.3).

Knows what is owed, what will be owed when this process ends, and that both outlive it. Does not know who may see whom,
nor how anything is said.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.gateway.contacts.book import Book
from simulator.gateway.contacts.store import Word
from simulator.xmpp.address import Address

#: seconds in which an edge has found out that a domain cannot be reached: twice the 60 of Lync's
#: ConnectionEstablishmentTimeout, for there may be two addresses
DOUBT = 120.0


class LastWords:
    """The words of all users. What changes is kept by `save`, as one change of the file; until then it is in memory."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._shown: set[Word] = set()
        """What a device has yet to take back of what it shows directly: owed as soon as the process is gone."""
        self._due: dict[str, dict[Word, None]] = {}
        """By domains: what could not be said, for no way led there."""
        self._presumed: dict[str, tuple[float, dict[Word, None]]] = {}
        """By domains: what was said before anybody knew whether a way leads there, and when."""
        self._kept: set[Word] = set()
        """What the file has."""
        self._touched: set[Word] = set()
        """What the file may have otherwise."""

    @property
    def domains(self) -> set[str]:
        """Where something is to be said."""
        return set(self._due)

    def load(self) -> None:
        """Owe what the process before this one owed, and what it showed directly: its devices are gone with it."""
        self._kept = set(self._book.last_words())

        for sender, to in sorted(self._kept - self._shown - self._touched, key=str):
            self.owe(sender, to)

    def show(self, sender: Address, to: Address) -> None:
        """A device (full) shows itself directly, perhaps once more: that is to be taken back, and not before."""
        word = (sender, to)
        self._shown.add(word)
        self._touched.add(word)
        self.take(sender, to)

        if to.domain in self._presumed:
            self._presumed[to.domain][1].pop(word, None)

    def hide(self, sender: Address, to: Address) -> None:
        """A device is not shown directly any more; whether that could be said is another matter."""
        self._shown.discard((sender, to))
        self._touched.add((sender, to))

    def owe(self, sender: Address, to: Address) -> None:
        """It could not be said that a device, or with a bare `sender` all of the user, is gone."""
        self._due.setdefault(to.domain, {})[sender, to] = None
        self._touched.add((sender, to))

    def take(self, sender: Address, to: Address) -> bool:
        """Owe one word no longer; tells whether it was owed."""
        words = self._due.get(to.domain, {})

        if (sender, to) not in words:
            return False

        words.pop((sender, to))
        self._touched.add((sender, to))

        if not words:
            self._due.pop(to.domain)

        return True

    def take_all(self, domain: str) -> list[Word]:
        """Owe nothing to a domain any longer; gives what was owed."""
        words = list(self._due.pop(domain, {}))
        self._touched.update(words)

        return words

    def presume(self, domain: str, said: Iterable[Word], now: float) -> None:
        """Remember for a while what was said at a time when no edge had yet tried to reach the domain."""
        _, before = self._presumed.pop(domain, (now, {}))
        words = before | dict.fromkeys(said)

        if words:
            self._presumed[domain] = (now, words)

    def believe(self, domain: str) -> None:
        """A stream leads to the domain: what was said has arrived, or will."""
        self._presumed.pop(domain, None)

    def doubt(self, domain: str, now: float) -> None:
        """No stream leads to the domain: what was said shortly before, in the hope of one, is owed again."""
        said_at, words = self._presumed.pop(domain, (now, {}))

        if now - said_at <= DOUBT:
            for sender, to in words:
                self.owe(sender, to)

    def expire(self, now: float) -> None:
        """Forget what can no longer be doubted."""
        self._presumed = {domain: each for domain, each in self._presumed.items() if now - each[0] <= DOUBT}

    def save(self, *, flush: bool = False) -> None:
        """Keep what has changed; with `flush`, even if the machine fails. Raises StoreError; then `save` may be called
        again."""
        if not self._touched:
            return

        wanted = {word for word in self._touched if word in self._shown or word in self._due.get(word[1].domain, {})}
        added, removed = wanted - self._kept, (self._touched - wanted) & self._kept

        # What the machine forgets to have been said is said twice, which harms nobody.
        if added or removed:
            self._book.keep_last_words(added, removed, flush=flush and bool(added))

        self._kept = (self._kept | added) - removed
        self._touched.clear()
