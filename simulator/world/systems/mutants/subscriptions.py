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

N, NPO, NPI, NPOI = State.NONE, State.NPO, State.NPI, State.NPOI
T, TPI, F, FPO, B = State.TO, State.TPI, State.FROM, State.FPO, State.BOTH

#: What contacts say where it changes nothing, and the state to which a credulous server goes.
WRONG: dict[tuple[State, str], State] = {
    (state, kind): wrong
    for kind, states in {
        "subscribe": {NPI: F, NPOI: FPO, TPI: B},
        "unsubscribe": {N: T, NPO: N, T: N},
        "subscribed": {N: T, NPI: TPI, T: B, TPI: B, F: B, B: T},
        "unsubscribed": {N: T, NPI: N, F: N},
    }.items()
    for state, wrong in states.items()
}


def _lost(table: Table, cell: tuple[State, str]) -> Table:
    """What comes in this state changes nothing and reaches nobody."""
    return lambda state, kind: Transition(state, passes=False) if (state, kind) == cell else table(state, kind)


def _passed(table: Table, cell: tuple[State, str]) -> Table:
    """What comes in this state passes, though it changes nothing."""
    return lambda state, kind: replace(table(state, kind), passes=(state, kind) == cell or table(state, kind).passes)


def _changed(table: Table, cell: tuple[State, str], wrong: State) -> Table:
    """What comes in this state passes, and leads to a wrong one."""
    return lambda state, kind: Transition(wrong, passes=True) if (state, kind) == cell else table(state, kind)


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
        if transition.passes
    ),
    *(
        Mutant(
            _name("is-sent", cell),
            f"Sends {cell[1]} to a contact in the state {cell[0]}, where there is nothing to answer.",
            replace(RIGHT, home=replace(RIGHT.home, outbound=_passed(RIGHT.home.outbound, cell))),
        )
        for cell, transition in OUTBOUND.items()
        if not transition.passes
    ),
    *(
        Mutant(
            _name("is-believed", cell),
            f"Takes {cell[1]} of a contact in the state {cell[0]}, where it means nothing, for {wrong}.",
            replace(RIGHT, home=replace(RIGHT.home, inbound=_changed(RIGHT.home.inbound, cell, wrong))),
        )
        for cell, wrong in WRONG.items()
    ),
    *(
        Mutant(
            _name("is-not-answered", cell),
            f"Says nothing to {cell[1]} of a contact in the state {cell[0]}.",
            replace(RIGHT, home=replace(RIGHT.home, inbound=_lost(RIGHT.home.inbound, cell))),
        )
        for cell, transition in INBOUND.items()
        if transition.reply and not transition.passes
    ),
)
