"""A person at a partner: the partner's mailbox for one address.

Knows how stanzas become arrivals. Does not know the streams on which they come.
"""

from __future__ import annotations

from collections.abc import Container
from xml.etree.ElementTree import Element

from simulator.journal import Journal
from simulator.world.partner.partner import Partner
from simulator.world.users.stanza import arrival, message
from simulator.world.users.user import Inbox
from simulator.xmpp.namespaces import SERVER

#: RFC 6120 §8.1.2.2: what a client sends bears its full address.
RESOURCE = "balcony"


class PartnerUser:
    """Somebody who lives at `partner` under a bare address; always reachable.

    `contacts` matter where the partner's roster is a whitelist (see Residents.add).
    """

    def __init__(
        self, address: str, partner: Partner, journal: Journal, contacts: Container[str] | None = None
    ) -> None:
        self.address = address
        self.inbox = Inbox(journal, address)
        self.partner = partner
        partner.add_user(address, self._arrived, contacts)

    async def sign_in(self) -> None:
        """Nothing: the partner holds the mailbox from the beginning."""

    async def sign_out(self) -> None:
        """Nothing: what comes later is still of interest."""

    async def send_message(
        self,
        to: str,
        body: str,
        *,
        id: str,  # noqa: A002
        type: str | None = None,  # noqa: A002
        subject: str | None = None,
        thread: str | None = None,
        language: str | None = None,
        extra: str = "",
    ) -> None:
        """Send a message over the partner's own stream, which is opened if there is none."""
        element = message(
            SERVER,
            sender=f"{self.address}/{RESOURCE}",
            to=to,
            body=body,
            id=id,
            type=type,
            subject=subject,
            thread=thread,
            language=language,
            extra=extra,
        )
        self.partner.send_stanza(element)

    def _arrived(self, stanza: Element) -> None:
        what, fields = arrival(stanza)
        self.inbox.arrived(what, **fields)
