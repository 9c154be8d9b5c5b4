"""Whom the partners' users believe to be available, as far as the edge has told them. Pure.

Knows who was shown to whom. Does not know why, nor how a stanza leaves.

RFC 6121 §4.5.2: "If an available resource becomes unavailable for any reason (either gracefully or ungracefully), the
user's server MUST broadcast unavailable presence". When the front end is gone, or the link to it, users are unavailable
to the world outside, and the front end is no longer there to say so. The edge is; and it need not know the contact
lists, which are none of its business: it has seen every presence leave, so it knows better than they who was shown to
whom, directed presence (§4.6.3) included. When the edge itself is gone nobody can say anything to partners: they
find their streams broken, and are told again when there is an edge.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from simulator.xmpp.namespaces import SERVER

PRESENCE = f"{{{SERVER}}}presence"


class PresenceLedger:
    """Pairs of a full address inside and an address outside that has last seen it available.

    It holds at most `most` pairs: what does not find room is shown all the same, and would not be withdrawn.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._shown: dict[tuple[str, str], None] = {}

    def __len__(self) -> int:
        return len(self._shown)

    def saw(self, stanza: Element) -> bool:
        """A stanza leaves; False when it should have been kept and there is no room."""
        kind = stanza.get("type")

        if stanza.tag != PRESENCE or kind not in (None, "unavailable"):
            return True

        pair = stanza.get("from", ""), stanza.get("to", "")

        if kind == "unavailable":
            self._shown.pop(pair, None)
        elif pair in self._shown or len(self._shown) < self._most:
            self._shown[pair] = None
        else:
            return False

        return True

    def withdraw(self) -> list[Element]:
        """Unavailable presence for everybody who was shown, in that order; nobody is shown any more then."""
        shown = list(self._shown)
        self._shown.clear()

        return [Element(PRESENCE, {"from": sender, "to": to, "type": "unavailable"}) for sender, to in shown]

    def clear(self) -> None:
        """Another edge shows them now."""
        self._shown.clear()
