"""Authorities that many tests of TLS share: keys take time to make."""

from __future__ import annotations

import pytest

from tests.wire.authority import Authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def stranger() -> Authority:
    return Authority()
