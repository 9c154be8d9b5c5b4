"""What a device can do with contacts and presence, in whichever dialect of SIP.

Knows the questions. Does not know how they are said: that is `lync` and `plain`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from simulator.sip.agent import Incoming


class Dialect(Protocol):
    """The presence of one device. Everything raises ConnectionError; what is refused arrives."""

    methods: tuple[str, ...]
    """What the device says that it understands (RFC 3840), beside those of messages."""

    async def open(self) -> None:
        """The device has registered."""

    def close(self) -> None:
        """The connection is gone."""

    def serves(self, incoming: Incoming) -> bool:
        """Take a request of the peer's, if it is about presence."""

    async def add(self, contact: str, name: str | None, groups: Sequence[str]) -> None:
        """Put somebody on the list, and ask to see them."""

    async def remove(self, contact: str) -> None:
        """Take somebody off the list, and end what there is."""

    async def accept(self, contact: str) -> None:
        """Let somebody see us."""

    async def refuse(self, contact: str) -> None:
        """Let somebody not see us, or not any more."""

    async def unsubscribe(self, contact: str) -> None:
        """See somebody no longer."""

    async def block(self, contact: str) -> None:
        """Be unseen by somebody."""

    async def unblock(self, contact: str) -> None:
        """Take that back."""

    async def contact_list(self) -> dict[str, dict[str, Any]]:
        """The list of `User.contact_list`; raises Unable."""

    async def show(self, show: str, note: str | Mapping[str, str], priority: int | None) -> None:
        """Be seen as available; raises Unable."""

    async def show_document(self, document: bytes) -> None:
        """Show a presence document (PIDF) as it is."""

    async def hide(self, note: str | Mapping[str, str]) -> None:
        """Be seen as unavailable."""

    async def ask_once(self, contact: str) -> None:
        """Ask for somebody's presence once."""
