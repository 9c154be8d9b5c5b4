"""A folder of scenarios, and temporary files that nobody else has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_cli import GOOD


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A folder with the scenarios im/good-0 to im/good-5, and one for temporary files."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "scenarios" / "im").mkdir(parents=True)

    for number in range(6):
        (tmp_path / "scenarios" / "im" / f"good-{number}.yaml").write_text(GOOD.replace("covers: [IM-001]", ""))

    return tmp_path
