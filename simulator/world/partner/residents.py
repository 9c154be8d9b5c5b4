"""Who lives at a partner, and which stanzas reach them.

Knows mailboxes and rosters. Does not know streams, nor what a mailbox does with a stanza.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from xml.etree.ElementTree import Element

from simulator.world.partner.spelling import bare_as_in_dns
from simulator.xmpp.element import make_error


class Residents:
    """The users of one partner. With `whitelist`, a user hears of those on the roster only."""

    def __init__(self, whitelist: bool) -> None:
        self._whitelist = whitelist
        self._mailboxes: dict[str, tuple[Callable[[Element], None], Container[str] | None]] = {}

    def add(self, address: str, mailbox: Callable[[Element], None], contacts: Container[str] | None) -> None:
        """Let stanzas to a bare address go to `mailbox`.

        Where the roster is a whitelist, `contacts` (real bare addresses, lower case) are those whose messages come
        through; None: everybody's.
        """
        self._mailboxes[bare_as_in_dns(address)] = mailbox, contacts

    def deliver(self, stanza: Element) -> Element | None:
        """Put a stanza into the mailbox it is for; returns the error to send back when nobody has that address."""
        mailbox, contacts = self._mailboxes.get(_bare(stanza, "to"), (None, None))
        answerable = stanza.get("type") not in ("error", "result") and not stanza.tag.endswith("}presence")

        if mailbox is None:
            # RFC 6121 §8.5.1: a message or request for nobody is answered with service-unavailable.
            return make_error(stanza, "service-unavailable") if answerable else None

        # COMPAT: Google Talk dropped what came from strangers without a word.
        if not (self._whitelist and answerable and contacts is not None and _bare(stanza, "from") not in contacts):
            mailbox(stanza)

        return None

    def returned(self, stanza: Element, condition: str) -> None:
        """Put the error for a stanza that could not leave into the mailbox of its sender."""
        mailbox, _ = self._mailboxes.get(_bare(stanza, "from"), (None, None))

        if mailbox and stanza.get("type") != "error":
            mailbox(make_error(stanza, condition))


def _bare(stanza: Element, attribute: str) -> str:
    return bare_as_in_dns(stanza.get(attribute, ""))
