"""Deliberate defects in finding out whether partners are still there (RFC 6120 §4.6, XEP-0199).

Knows the rules of the edge that it breaks, one for each defect.
"""

from __future__ import annotations

from dataclasses import replace

from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant

RIGHT = Rules()

LIVENESS = (
    Mutant(
        "quiet-streams-are-unchecked", "Never checks a stream.", replace(RIGHT, check_interval=lambda settings: None)
    ),
    Mutant(
        "streams-are-checked-all-the-time",
        "Checks streams many times as often as it is set.",
        replace(RIGHT, check_interval=lambda settings: settings.check_interval / 20),
    ),
    Mutant(
        "checks-are-words",
        "Sends what is no white space to see whether somebody is there.",
        replace(RIGHT, check_text=lambda: b"."),
    ),
    Mutant(
        "checks-begin-too-early",
        "Sends white space while TLS and SASL are negotiated.",
        replace(RIGHT, checks_unauthenticated=lambda: True),
    ),
    Mutant(
        "silence-is-waited-out",
        "Waits for ever for acknowledgements and for answers to pings.",
        replace(RIGHT, check_timeout=lambda settings: None),
    ),
    Mutant(
        "slow-readers-are-dead",
        "Gives peers up that do not read everything in time.",
        replace(RIGHT, is_progress=lambda before, acknowledged: False),
    ),
    Mutant(
        "errors-are-no-sign-of-life",
        "Takes an error in answer to a ping for silence.",
        replace(RIGHT, is_sign_of_life=lambda type_: type_ == "result"),
    ),
    Mutant(
        "pings-are-not-sent", "Sends white space where pings are set.", replace(RIGHT, pings=lambda settings: False)
    ),
)
