"""The house rules of the design, checked: who may use whom, no circles, pure rooms, short files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ROOT / "simulator"

#: room -> rooms it may use (besides itself). A file directly in simulator/ is a room of its own.
MAY_USE: dict[str, set[str]] = {
    "document": set(),
    "journal": set(),
    "xmpp": set(),
    "sip": set(),
    # A language, and nothing that is said in it.
    "powershell": set(),
    "scenario": {"document", "xmpp"},
    "verdict": {"scenario", "journal"},
    "wire": {"xmpp", "sip"},
    "gateway": {"document", "powershell", "wire", "xmpp", "sip"},
    "world": {"document", "journal", "scenario", "wire", "xmpp", "sip"},
    # A scenario's profiles and zones are documents: their errors end one scenario, not the run.
    "runner": {"document", "world", "scenario", "journal", "verdict"},
    "report": {"journal", "scenario", "verdict"},
    # A prompt has to know whether what was typed is complete: powershell.
    "cli": {"document", "gateway", "journal", "powershell", "report", "runner", "scenario", "verdict", "world"},
    "__main__": {"cli"},
}

#: The one door between the world and the gateway, which otherwise meet on sockets only.
EMBEDDED_SEAT = "world/systems/"

PURE = {"document", "journal", "xmpp", "sip", "powershell", "scenario", "verdict"}
IMPURE_MODULES = {"asyncio", "socket", "time", "ssl", "threading", "subprocess", "selectors"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager"}
TOP_LEVEL = {
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "simulator",
    "scenarios",
    "tests",
    "reports",
    "requirements.txt",
}

FILES = sorted(HOUSE.rglob("*.py"))
ALL_FILES = sorted([*FILES, *(ROOT / "tests").rglob("*.py")])


def name_of(path: Path) -> str:
    """The dotted module name of a file below simulator/, without the leading ``simulator.``."""
    parts = path.relative_to(HOUSE).with_suffix("").parts

    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, at_top_only: bool = False) -> Iterator[str]:
    """Every module a file imports; for ``from a import b`` both ``a`` and ``a.b``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))

    for node in tree.body if at_top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_uses_only_what_lies_below_it(path: Path) -> None:
    room = name_of(path).split(".")[0]

    if not room:
        return

    allowed = MAY_USE[room] | {room}

    if str(path.relative_to(HOUSE)).startswith(EMBEDDED_SEAT):
        allowed = allowed | {"gateway"}

    for module in imports(path):
        if module.startswith("simulator."):
            assert module.split(".")[1] in allowed, f"{path} may not use {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_rooms_know_no_clock_and_no_socket(path: Path) -> None:
    if name_of(path).split(".")[0] in PURE:
        assert not IMPURE_MODULES & {module.split(".")[0] for module in imports(path)}


def test_imports_have_no_circle() -> None:
    modules = {name_of(path): path for path in FILES}
    graph = {
        name: {
            module.removeprefix("simulator.")
            for module in imports(path)
            if module.removeprefix("simulator.") in modules and module.startswith("simulator.")
        }
        - {name}
        for name, path in modules.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))

        if name not in done:
            for below in sorted(graph[name]):
                visit(below, (*trail, name))

            done.add(name)

    for name in sorted(graph):
        visit(name, ())


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_well_named(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert not FORBIDDEN_NAMES & {path.stem, path.parent.name}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_waits_forget_no_cancellation(path: Path) -> None:
    """Before Python 3.12 `asyncio.wait_for` swallows a cancellation that comes together with what it waits for (a run
    that was interrupted then went on); `async with asyncio.timeout()` does not."""
    named = {
        node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)
    }

    assert "wait_for" not in named


def test_every_module_says_what_it_knows() -> None:
    silent = [str(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]

    assert not silent


def test_the_visible_top_level_is_fixed() -> None:
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}

    assert visible - {"build", "dist"} <= TOP_LEVEL
