"""What all sessions of a front end have in common.

Knows who does what for sessions. Does not know any session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.gateway.frontend.delivery import Delivery
from simulator.gateway.frontend.dialogs import Dialogs
from simulator.gateway.frontend.outbox import Outbox
from simulator.gateway.frontend.parties import Parties
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.sessions.rules import SessionRules
from simulator.gateway.settings import FrontendSettings
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList

#: RFC 3261 §17.1.1.1: T1 is 500 ms where Timer F, 64*T1, is 32 s; T2 is 4 s
T1_OF_TIMER_F = 1 / 64
T2_OF_TIMER_F = 1 / 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The front end, as far as sessions see it."""

    settings: Callable[[], FrontendSettings]
    rules: FrontEndRules
    parties: Parties
    dialogs: Dialogs
    outbox: Outbox
    delivery: Delivery
    identifiers: Identifiers
    clock: Callable[[], float]
    allow: Callable[[], tuple[str, str]]
    """The Allow header."""
    log: Callable[[str], None]

    @property
    def sessions(self) -> SessionRules:
        """The rules of sessions."""
        return self.rules.sessions

    @property
    def readable(self) -> HeaderList:
        """The Accept header of a 415 within a session."""
        return [("Accept", ", ".join(self.rules.sessions.offered)), ("Accept-Encoding", "identity")]
