"""The README's commands and pictures are kept true. ``python tests/test_readme.py N`` prints its N-th command."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Every fenced block of that language, in order, without its fences."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_two_commands_do_all_set_up() -> None:
    first, second = blocks("sh")[:2]

    assert first.count("\n") == second.count("\n") == 1
    assert "s2sim run" in first
    assert "pytest" in second


def test_the_scenario_shown_is_the_file() -> None:
    shown = blocks("yaml")[0]
    path, _, text = shown.partition("\n")

    assert (ROOT / path.removeprefix("# ")).read_text(encoding="utf-8") == text


def test_every_file_named_exists() -> None:
    for name in re.findall(r"`((?:scenarios|simulator|tests|reports)/[\w/.-]+)`", README):
        assert (ROOT / name).exists(), name


def test_the_state_diagram_is_the_table() -> None:
    from simulator.xmpp.state import diagram

    assert blocks("mermaid")[0].strip() == diagram().strip()


def test_every_command_named_exists() -> None:
    from typer.testing import CliRunner

    from simulator.cli.commands import app

    for name in set(re.findall(r"`?s2sim ([a-z]+)", README)):
        result = CliRunner().invoke(app, [name, "--help"])

        assert result.exit_code == 0, f"{name}: {result.output}"


if __name__ == "__main__":
    sys.stdout.write(blocks("sh")[int(sys.argv[1]) - 1])
else:
    pytest.importorskip("simulator")
