"""A front end in memory with one device of Alice's that takes sessions."""

from __future__ import annotations

import pytest

from tests.gateway.frontend.sessions.device import Device
from tests.gateway.frontend.sessions.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def device(stage: Stage) -> Device:
    return Device(stage)
