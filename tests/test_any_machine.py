"""What is true of a program does not hang on how fast it runs: the tests that make up examples hold to that."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import HealthCheck, settings

TESTS = Path(__file__).resolve().parent


def test_no_example_fails_for_being_slow() -> None:
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check


def test_no_test_sets_a_deadline_of_its_own() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py") if path.name != "conftest.py"}
    found = [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for path, text in texts.items()
        if "hypothesis" in text and "deadline=" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "settings"
        if any(keyword.arg == "deadline" for keyword in node.keywords)
    ]

    assert not found, found
