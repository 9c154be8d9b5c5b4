"""What becomes of a presence subscription when one of the four stanzas about it comes or goes (RFC 6121 Appendix A).

Rule 1: every change of a state is in `INBOUND` or `OUTBOUND`; both are complete, so that no pair is ever missing.
Rule 2: this file does not know who the contact is, whether he is blocked, nor what was approved in advance.

A state is seen from the server of one user: who may see whom, and which requests wait for an answer. "Inbound" is a
stanza from the contact to the user, "outbound" one from the user to the contact.

How far the tables are verified: each cell of §A.2.3, §A.2.4 and §A.3.1 to §A.3.4 was compared with the six tables of
RFC 3921 §9.2 and §9.3, which RFC 6121 repeats with MUST and SHOULD for yes and no. What it adds, approval in advance
(§3.4), is a mark of the contact and no state. RFC 3921 has no table for §A.2.1 and §A.2.2: there the moves follow from
what the states mean, and that the stanza is routed in every state from §3.1.2 and §3.3.2, which know no exception.

Where the text contradicts itself, and what is in the tables:

* §3.2.3 has an inbound ``unsubscribed`` matter in the states "To" and "Both" alone and wants it ignored in every
  other one; Appendix A.3.4 has it end a pending request, too. Without that nobody could ever refuse, and §3.2.1
  names this stanza for it ("or to deny a subscription request"). So it is Appendix A.
* §3.3.3 has an inbound ``unsubscribe`` matter in "From", "From + Pending Out" and "Both"; Appendix A.3.2 delivers it
  in the states with "Pending In" as well, and notes that the server SHOULD answer with ``unsubscribed``, of which the
  prose says nothing. So it is Appendix A: the answer is harmless to whoever has no subscription any more.

``python -m simulator.xmpp.subscription`` prints both tables as a Mermaid diagram.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SUBSCRIBE: Final = "subscribe"
SUBSCRIBED: Final = "subscribed"
UNSUBSCRIBE: Final = "unsubscribe"
UNSUBSCRIBED: Final = "unsubscribed"
#: the types of presence that these tables are about
SUBSCRIPTION_TYPES: Final = (SUBSCRIBE, UNSUBSCRIBE, SUBSCRIBED, UNSUBSCRIBED)


class State(StrEnum):
    """The nine states of RFC 6121 §A.1."""

    NONE = "N"
    NPO = "NPO"
    """None + Pending Out: we asked."""
    NPI = "NPI"
    """None + Pending In: the contact asked."""
    NPOI = "NPOI"
    TO = "T"
    """The user sees the contact's presence."""
    TPI = "TPI"
    FROM = "F"
    """The contact sees the user's presence."""
    FPO = "FPO"
    BOTH = "B"


@dataclass(frozen=True, slots=True)
class Transition:
    """What a stanza does to a state."""

    state: State
    passes: bool
    """Whether the stanza is delivered to the user (inbound) or routed to the contact (outbound)."""
    reply: str | None = None
    """The type of the presence with which the server itself answers, in the name of the user (inbound only)."""


N, NPO, NPI, NPOI = State.NONE, State.NPO, State.NPI, State.NPOI
T, TPI, F, FPO, B = State.TO, State.TPI, State.FROM, State.FPO, State.BOTH


def _table(
    moves: Mapping[str, Mapping[State, State]],
    *,
    always: tuple[str, ...] = (),
    replies: Mapping[str, tuple[str, tuple[State, ...]]],
) -> dict[tuple[State, str], Transition]:
    """Complete a table: what moves a state passes; what does not passes only if it `always` does."""
    table = {}

    for type_, changes in moves.items():
        reply, states = replies.get(type_, (None, ()))

        for state in State:
            answer = reply if state in states else None
            passes = state in changes or type_ in always
            table[state, type_] = Transition(changes.get(state, state), passes, answer)

    return table


#: Tables 6 to 9 (§A.3): (state, type of the contact's stanza) -> what happens
INBOUND: Mapping[tuple[State, str], Transition] = _table(
    {
        # §A.3.1 Table 6
        SUBSCRIBE: {N: NPI, NPO: NPOI, T: TPI},
        # §A.3.2 Table 7
        UNSUBSCRIBE: {NPI: N, NPOI: NPO, TPI: T, F: N, FPO: NPO, B: T},
        # §A.3.3 Table 8
        SUBSCRIBED: {NPO: T, NPOI: TPI, FPO: B},
        # §A.3.4 Table 9
        UNSUBSCRIBED: {NPO: N, NPOI: NPI, T: N, TPI: NPI, FPO: F, B: F},
    },
    replies={
        # §3.1.3: to whom the user is visible already, "the contact's server MUST auto-reply on behalf of the contact
        # by sending a presence stanza of type "subscribed"".
        SUBSCRIBE: (SUBSCRIBED, (F, FPO, B)),
        UNSUBSCRIBE: (UNSUBSCRIBED, (NPI, NPOI, TPI, F, FPO, B)),
    },
)

#: Tables 2 to 5 (§A.2): (state, type of the user's stanza) -> what happens
OUTBOUND: Mapping[tuple[State, str], Transition] = _table(
    {
        # §A.2.1 Table 2
        SUBSCRIBE: {N: NPO, NPI: NPOI, F: FPO},
        # §A.2.2 Table 3
        UNSUBSCRIBE: {NPO: N, NPOI: NPI, T: N, TPI: NPI, FPO: F, B: F},
        # §A.2.3 Table 4
        SUBSCRIBED: {NPI: F, NPOI: FPO, TPI: B},
        # §A.2.4 Table 5
        UNSUBSCRIBED: {NPI: N, NPOI: NPO, TPI: T, F: N, FPO: NPO, B: T},
    },
    # §3.1.2 and §3.3.2 say the same of both: "the user's server MUST then route the stanza to that remote domain", in
    # whatever state. The other server may have forgotten what we remember.
    always=(SUBSCRIBE, UNSUBSCRIBE),
    replies={},
)


def sees(state: State) -> bool:
    """Whether the user has a subscription to the contact's presence ("to" or "both")."""
    return state in (T, TPI, B)


def is_seen(state: State) -> bool:
    """Whether the contact has a subscription to the user's presence ("from" or "both")."""
    return state in (F, FPO, B)


def asks(state: State) -> bool:
    """Whether a request of the user waits for the contact's answer ("Pending Out")."""
    return state in (NPO, NPOI, FPO)


def is_asked(state: State) -> bool:
    """Whether a request of the contact waits for the user's answer ("Pending In")."""
    return state in (NPI, NPOI, TPI)


def subscription_of(state: State) -> str:
    """The 'subscription' attribute of the roster item (§2.1.2.5): ``none``, ``to``, ``from`` or ``both``."""
    return {(False, False): "none", (True, False): "to", (False, True): "from", (True, True): "both"}[
        sees(state), is_seen(state)
    ]


def diagram() -> str:
    """Both tables as one Mermaid state diagram; ``?`` marks what the contact says, ``!`` what the user says."""
    lines = ["stateDiagram-v2", f"    [*] --> {N}"]

    for table, mark in ((INBOUND, "?"), (OUTBOUND, "!")):
        lines += [
            f"    {state} --> {transition.state}: {mark}{type_}"
            for (state, type_), transition in table.items()
            if transition.state != state
        ]

    return "\n".join(lines)


if __name__ == "__main__":  # pragma: no cover - tested in a process of its own
    sys.stdout.write(diagram() + "\n")
