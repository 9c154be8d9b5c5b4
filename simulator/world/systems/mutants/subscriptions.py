"""Deliberate defects in the tables of subscription states (RFC 6121 Appendix A): one cell wrong, and the others right.

Knows the rules of the home that it breaks, one for each defect. A cell is not on the way to its own state, so that a
scenario gets there in spite of the defect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.subscription import INBOUND, OUTBOUND, State, Transition

RIGHT = Rules()

Table = Callable[[State, str], Transition]

#: What users say where there is nothing to answer, and it is kept back. What was granted nobody grants again over SIP.
KEPT_BACK = tuple(
    (state, kind) for kind in ("subscribed", "unsubscribed") for state in (State.NONE, State.NPO, State.TO)
)


def _lost(table: Table, cell: tuple[State, str]) -> Table:
    """What comes in this state changes nothing and reaches nobody."""
    return lambda state, kind: Transition(state, passes=False) if (state, kind) == cell else table(state, kind)


def _passed(table: Table, cell: tuple[State, str]) -> Table:
    """What comes in this state passes, though it changes nothing."""
    return lambda state, kind: replace(table(state, kind), passes=(state, kind) == cell or table(state, kind).passes)


def _name(what: str, cell: tuple[State, str]) -> str:
    return f"{cell[1]}-{what}-in-{cell[0]}"


SUBSCRIPTIONS = (
    *(
        Mutant(
            _name("is-not-taken", cell),
            f"Passes over {cell[1]} of a contact in the state {cell[0]}.",
            replace(RIGHT, home=replace(RIGHT.home, inbound=_lost(RIGHT.home.inbound, cell))),
        )
        for cell, transition in INBOUND.items()
        if transition.passes
    ),
    *(
        Mutant(
            _name("is-not-sent", cell),
            f"Does not send {cell[1]} to a contact in the state {cell[0]}.",
            replace(RIGHT, home=replace(RIGHT.home, outbound=_lost(RIGHT.home.outbound, cell))),
        )
        for cell, transition in OUTBOUND.items()
        if transition.passes and transition.state is not cell[0]
    ),
    *(
        Mutant(
            _name("is-sent", cell),
            f"Sends {cell[1]} to a contact in the state {cell[0]}, where there is nothing to answer.",
            replace(RIGHT, home=replace(RIGHT.home, outbound=_passed(RIGHT.home.outbound, cell))),
        )
        for cell in KEPT_BACK
    ),
)
