"""Whatever users, partners, administrators and operators do: nobody sees, or is denied, what he should not.

After each act everybody sees what is to be seen, and nothing else; every message goes where it may, and nowhere else.
What that is says `model`, which knows nothing of the gateway; who does what is in `walk`.

``S2SIM_STEPS=10000 S2SIM_SEED=7 pytest tests/gateway/visibility`` goes so many steps from that seed on.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from simulator.world.systems.mutants.catalogue import MUTANTS
from tests.gateway.visibility.walk import Walk

STEPS = int(os.environ.get("S2SIM_STEPS", "3000"))
SEED = os.environ.get("S2SIM_SEED")
#: steps of one walk, from an empty store on
LENGTH = 50


def run(machine: type[Walk], steps: int, **more: Any) -> None:
    """Take so many steps; every run of the same machine is the same, unless a seed is given."""
    chosen = settings(
        max_examples=max(1, steps // LENGTH),
        stateful_step_count=LENGTH,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    machine.steps = 0
    run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.timeout(60 + STEPS // 50)
def test_nobody_sees_or_is_denied_what_the_model_says_otherwise() -> None:
    if SEED is not None:
        run(seed(int(SEED))(Walk), STEPS)
    else:
        run(Walk, STEPS, derandomize=True)

    # Hypothesis may end a walk early, but not most of them.
    assert Walk.steps >= STEPS * 0.7, Walk.steps


@pytest.mark.parametrize(
    "name",
    [
        "approval-shows-nothing",
        "blocked-are-written-to",
        "federated-may-not-write",
        "gates-only-outward",
        "nobody-may-see",
        "presence-for-the-blocked",
        "removal-leaves-them-watching",
        "unverified-may-ask",
        "unverified-sees-notes",
        "verified-is-put-to-the-user",
        "verified-sees-notes",
    ],
)
def test_a_gateway_that_decides_otherwise_is_caught(name: str) -> None:
    class Defective(Walk):
        gateway = MUTANTS[name].rules

    with pytest.raises(AssertionError):
        run(Defective, 6000, derandomize=True, phases=[Phase.generate], print_blob=False)
