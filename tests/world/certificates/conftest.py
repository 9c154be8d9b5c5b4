"""One authority for all tests of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.world.ca import CertificateAuthority


@pytest.fixture(scope="module")
def authority() -> Iterator[CertificateAuthority]:
    with CertificateAuthority() as made:
        yield made
