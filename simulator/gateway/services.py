"""The Windows services that make up XMPP federation, by the names under which administrators stop and start them.

Knows names. Does not know what runs. "Setting up XMPP federation" has both: the proxy on each Edge Server, the gateway
on the Front End Server; either must be started for XMPP to work.
"""

from __future__ import annotations

from dataclasses import dataclass

PROXY = "Lync Server XMPP Translating Gateway Proxy"
TRANSLATING = "Lync Server XMPP Translating Gateway"
#: how the front end calls itself where computers are named
FRONT_END = "front-end"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service on one computer."""

    name: str
    computer: str
    running: bool


class NoSuchService(LookupError):  # noqa: N818 - says what is the matter
    """There is no such service, or not on this computer; the text says which there are."""

    def __init__(self, name: str, computer: str | None, known: tuple[Service, ...]) -> None:
        where = f" on {computer}" if computer is not None else ""
        there = ", ".join(f"{each.name} on {each.computer}" for each in known)
        super().__init__(f"there is no service {name!r}{where}; in this process there are: {there}")
