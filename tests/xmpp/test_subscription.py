"""Every cell of RFC 6121 Appendix A, written out by hand.

The module says with what they were compared.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from simulator.xmpp.subscription import (
    INBOUND,
    OUTBOUND,
    SUBSCRIPTION_TYPES,
    State,
    asks,
    diagram,
    is_asked,
    is_seen,
    sees,
    subscription_of,
)

# A row is: existing state, whether it is routed or delivered, new state ("-": no change), automatic reply.
# MUST and SHOULD count as yes, MUST NOT and SHOULD NOT as no.
INBOUND_TABLES = {
    "subscribe": """
        N    yes NPI  -
        NPO  yes NPOI -
        NPI  no  -    -
        NPOI no  -    -
        T    yes TPI  -
        TPI  no  -    -
        F    no  -    subscribed
        FPO  no  -    subscribed
        B    no  -    subscribed
    """,
    "unsubscribe": """
        N    no  -    -
        NPO  no  -    -
        NPI  yes N    unsubscribed
        NPOI yes NPO  unsubscribed
        T    no  -    -
        TPI  yes T    unsubscribed
        F    yes N    unsubscribed
        FPO  yes NPO  unsubscribed
        B    yes T    unsubscribed
    """,
    "subscribed": """
        N    no  -    -
        NPO  yes T    -
        NPI  no  -    -
        NPOI yes TPI  -
        T    no  -    -
        TPI  no  -    -
        F    no  -    -
        FPO  yes B    -
        B    no  -    -
    """,
    "unsubscribed": """
        N    no  -    -
        NPO  yes N    -
        NPI  no  -    -
        NPOI yes NPI  -
        T    yes N    -
        TPI  yes NPI  -
        F    no  -    -
        FPO  yes F    -
        B    yes F    -
    """,
}
OUTBOUND_TABLES = {
    "subscribe": """
        N    yes NPO  -
        NPO  yes -    -
        NPI  yes NPOI -
        NPOI yes -    -
        T    yes -    -
        TPI  yes -    -
        F    yes FPO  -
        FPO  yes -    -
        B    yes -    -
    """,
    "unsubscribe": """
        N    yes -    -
        NPO  yes N    -
        NPI  yes -    -
        NPOI yes NPI  -
        T    yes N    -
        TPI  yes NPI  -
        F    yes -    -
        FPO  yes F    -
        B    yes F    -
    """,
    "subscribed": """
        N    no  -    -
        NPO  no  -    -
        NPI  yes F    -
        NPOI yes FPO  -
        T    no  -    -
        TPI  yes B    -
        F    no  -    -
        FPO  no  -    -
        B    no  -    -
    """,
    "unsubscribed": """
        N    no  -    -
        NPO  no  -    -
        NPI  yes N    -
        NPOI yes NPO  -
        T    no  -    -
        TPI  yes T    -
        F    yes N    -
        FPO  yes NPO  -
        B    yes T    -
    """,
}


def cells(tables: dict[str, str]) -> list[tuple[State, str, bool, State, str | None]]:
    found = []

    for type_, text in tables.items():
        for line in text.split("\n"):
            if line.strip():
                state, passes, new, reply = line.split()
                after = State(state if new == "-" else new)
                found.append((State(state), type_, passes == "yes", after, None if reply == "-" else reply))

    return found


@pytest.mark.parametrize(("state", "type_", "passes", "after", "reply"), cells(INBOUND_TABLES))
def test_inbound_stanza_is_handled_as_in_appendix_a_3(
    state: State, type_: str, passes: bool, after: State, reply: str | None
) -> None:
    transition = INBOUND[state, type_]

    assert (transition.passes, transition.state, transition.reply) == (passes, after, reply)


@pytest.mark.parametrize(("state", "type_", "passes", "after", "reply"), cells(OUTBOUND_TABLES))
def test_outbound_stanza_is_handled_as_in_appendix_a_2(
    state: State, type_: str, passes: bool, after: State, reply: str | None
) -> None:
    transition = OUTBOUND[state, type_]

    assert (transition.passes, transition.state, transition.reply) == (passes, after, reply)


@pytest.mark.parametrize("table", [INBOUND, OUTBOUND])
def test_no_cell_is_missing(table: dict[tuple[State, str], object]) -> None:
    assert set(table) == {(state, type_) for state in State for type_ in SUBSCRIPTION_TYPES}


def test_a_state_says_who_sees_whom_and_who_asks() -> None:
    """RFC 6121 §A.1 describes the nine states in these words."""
    described = {
        state: (subscription_of(state), sees(state), is_seen(state), asks(state), is_asked(state)) for state in State
    }

    assert described == {
        State.NONE: ("none", False, False, False, False),
        State.NPO: ("none", False, False, True, False),
        State.NPI: ("none", False, False, False, True),
        State.NPOI: ("none", False, False, True, True),
        State.TO: ("to", True, False, False, False),
        State.TPI: ("to", True, False, False, True),
        State.FROM: ("from", False, True, False, False),
        State.FPO: ("from", False, True, True, False),
        State.BOTH: ("both", True, True, False, False),
    }


def test_the_diagram_is_printed() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "simulator.xmpp.subscription"], capture_output=True, text=True, check=True
    ).stdout

    assert printed == diagram() + "\n"
    assert "N --> NPO: !subscribe" in printed
    assert "FPO --> B: ?subscribed" in printed
