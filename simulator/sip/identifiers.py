"""Branches, tags and Call-IDs, and the branch as carrier of an id of XMPP (RFC 7572 Tables 1 and 2).

Knows how a text hides in a token. Does not know whose text it is.
"""

from __future__ import annotations

import random
from urllib.parse import quote, unquote

#: RFC 3261 §8.1.1.7: every branch starts with this
MAGIC = "z9hG4bK"
#: longer ids are not carried: a branch is no place for a kilobyte
LONGEST_ID = 200

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class Identifiers:
    """Makes identifiers unique in space (a random part) and time (a counter); `entropy` makes them repeatable."""

    def __init__(self, entropy: random.Random | None = None) -> None:
        source = entropy or random.SystemRandom()
        self._prefix = "".join(source.choices(_ALPHABET, k=12))
        self._count = 0

    def fresh(self) -> str:
        """A token that nobody has used."""
        self._count += 1

        return f"{self._prefix}.{self._count}"

    def branch(self, carried: str = "") -> str:
        """A branch that carries an id of XMPP.

        RFC 7572 Table 1 maps ``id`` to the transaction identifier, but RFC 3261 §8.1.1.7 wants the branch "unique
        across space and time for all requests sent by the UA", and a partner may use an id twice. So the id is
        followed by ``~`` and a part of our own.
        """
        # `quote` leaves letters, digits and ``_.-~`` alone; the mark of the end must not stand inside.
        text = quote(carried, safe="").replace("~", "%7E") if len(carried) <= LONGEST_ID else ""

        return f"{MAGIC}{text}~{self.fresh()}"


def id_in_branch(branch: str) -> str:
    """The id that a branch carries; of a foreign branch, all of it but the cookie."""
    text = branch.removeprefix(MAGIC)
    carried, mark, _ = text.rpartition("~")

    if not mark:
        return text

    try:
        decoded = unquote(carried, errors="strict")
    except UnicodeDecodeError:
        return text

    # Only what we could have written ourselves is taken apart.
    return decoded if decoded and quote(decoded, safe="").replace("~", "%7E") == carried else text
