"""The command as its users meet it: a process, its output and its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from simulator.cli import main

GOOD = """
claim: Both ways
covers: [IM-001]
steps:
  - alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hello}
  - juliet@gmail.com receives a message: {from: alice@contoso.com, body: Hello}
"""
BAD = GOOD.replace(
    "juliet@gmail.com receives a message: {from: alice@contoso.com, body: Hello}",
    ("juliet@gmail.com receives a message: {from: alice@contoso.com, body: Goodbye}"),
).replace("Both ways", "Something else is heard")
UNREACHED = """
claim: Never decided
given:
  - bob@contoso.com receives a message: Hello
    within: 0.05
steps:
  - bob@contoso.com receives a message: Hello
"""
HANGING = """
claim: It waits
steps:
  - bob@contoso.com receives a message: Hello
    within: 30
"""
REQUIREMENTS = """
IM:
  IM-001: {direction: B, level: MUST, source: RFC 6121 §5, sentence: Messages arrive.}
  IM-002: {direction: B, level: MUST, source: RFC 6121 §5, sentence: Nobody plays this.}
  IM-003: {direction: B, level: MAY, source: RFC 6121 §5, sentence: No one can., not-playable: it needs a moon}
"""

Finished = subprocess.CompletedProcess[str]
Command = Callable[..., Finished]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scenarios = tmp_path / "scenarios"
    (scenarios / "im").mkdir(parents=True)
    (scenarios / "requirements.yaml").write_text(REQUIREMENTS)
    (scenarios / "im" / "good.yaml").write_text(GOOD)

    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)

    return {**os.environ, "TMPDIR": str(temporary), "PYTHONWARNINGS": "error", "PYTHONDEVMODE": ""}


@pytest.fixture
def s2sim(folder: Path) -> Command:
    def command(*arguments: str) -> Finished:
        return subprocess.run(
            [sys.executable, "-m", "simulator", *arguments],
            cwd=folder,
            env=environment(folder),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return command


def add(folder: Path, name: str, text: str) -> None:
    (folder / "scenarios" / f"{name}.yaml").write_text(text)


def test_a_green_run_exits_with_0(folder: Path, s2sim: Command) -> None:
    done = s2sim("run", "--json", "out/results.json")
    results = json.loads((folder / "out" / "results.json").read_text())

    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(
        r"^1 PASS on embedded \S+ in \d+\.\d s; journals in reports/last/journals$", done.stdout, re.MULTILINE
    )
    assert results["totals"] == {"PASS": 1}
    assert (folder / results["results"][0]["journal"]).is_file()
    assert results == json.loads((folder / "reports" / "last" / "run.json").read_text())
    assert os.listdir(folder / "temporary") == []


def test_a_failure_is_explained_and_exits_with_1(folder: Path, s2sim: Command) -> None:
    add(folder, "im/bad", BAD)
    done = s2sim("run", "--seed", "3")

    assert done.returncode == 1
    assert "1 PASS, 1 FAIL" in done.stdout
    assert "Something else is heard" in done.stdout
    assert "MUST, RFC 6121 §5: Messages arrive." in done.stdout
    assert '/message/body: expected "Goodbye", got "Hello"' in done.stdout
    assert "<db:result" in done.stdout, "the ladder"
    assert "the system's last log lines" in done.stdout
    assert "s2sim run im/bad --system embedded --seed 3" in done.stdout


def test_the_printed_command_plays_it_again(folder: Path, s2sim: Command) -> None:
    add(folder, "im/bad", BAD)
    again = re.search(r"again +s2sim (.*)", s2sim("run").stdout)

    assert again
    assert s2sim(*again[1].split()).returncode == 1


def test_an_explained_failure_is_green(folder: Path, s2sim: Command) -> None:
    add(folder, "im/bad", BAD)
    ledger = folder / "reports" / "ledgers" / "embedded.yaml"
    ledger.parent.mkdir(parents=True)
    entry = "- {scenario: im/bad, reason: known, section: RFC 6121 §5, link: 'https://example.org/1', match: Goodbye}\n"
    ledger.write_text(entry)

    assert s2sim("run").returncode == 0

    add(folder, "im/bad", GOOD)
    stale = s2sim("run")

    assert stale.returncode == 1
    assert "remove the entry" in stale.stdout


def test_an_undecided_run_exits_with_3(folder: Path, s2sim: Command) -> None:
    add(folder, "im/undecided", UNREACHED)
    done = s2sim("run")

    assert done.returncode == 3
    assert "INCONCLUSIVE" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "--system", "prosodi"), "did you mean 'prosody'"),
        (("run", "im/goood"), "did you mean im/good"),
        (("run", "covers:IM-009"), "covers:IM-009"),
        (("run", "--jobs", "0"), "--jobs"),
        (("run", "--job", "1"), "--jobs"),
        (("rnu",), "run"),
        (("run", "--scenarios", "nowhere"), "no folder nowhere"),
        (("run", "--mutant", "no-such"), "no-such"),
        (("run", "--mutant", "no-such", "--system", "prosody"), "--mutant"),
        (("run", "--ledger", "nothing.yaml"), "nothing.yaml"),
        (("run", "--output", "scenarios/im/good.yaml"), "--output"),
        (("show", "im/nothing"), "im/good"),
        (("judge", "nothing.jsonl"), "nothing.jsonl"),
        (("judge", "scenarios"), "no journal"),
        (("gateway", "--config", "nothing.yaml"), "nothing.yaml"),
    ],
)
def test_wrong_use_is_one_line_and_2(
    arguments: tuple[str, ...],
    says: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    code = main(arguments)
    told = capsys.readouterr()

    assert (code, told.out) == (2, "")
    assert says in told.err
    assert len(told.err.splitlines()) == 1


def test_a_mistake_in_a_scenario_is_found_by_line(folder: Path, s2sim: Command) -> None:
    add(folder, "im/typo", GOOD.replace("receives a message", "recieves a message"))
    done = s2sim("run")

    assert done.returncode == 2
    assert re.search(r"scenarios/im/typo\.yaml:6:\d+: ", done.stderr)
    assert "receives a message" in done.stderr


def test_without_arguments_there_is_help(s2sim: Command) -> None:
    done = s2sim()

    assert done.returncode == 0
    assert "s2sim run --system prosody" in done.stdout
    assert done.stdout == s2sim("--help").stdout


def test_the_version_is_that_of_the_package(s2sim: Command) -> None:
    done = s2sim("--version")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"s2sim {version('s2sim')}\n"


def test_listing_as_json(s2sim: Command) -> None:
    found = json.loads(s2sim("list", "--json").stdout)

    assert found == [{"id": "im/good", "claim": "Both ways", "covers": ["IM-001"]}]


def test_showing_names_the_rule(s2sim: Command) -> None:
    shown = s2sim("show", "im/good").stdout

    assert "Messages arrive." in shown
    assert "alice@contoso.com sends a message" in shown


def test_coverage_as_json(s2sim: Command) -> None:
    counted = json.loads(s2sim("coverage", "--json").stdout)

    assert counted == {
        "IM": {"covered": 1, "total": 3, "missing": ["IM-002"], "excused": {"IM-003": "it needs a moon"}}
    }


def test_coverage_as_a_table(s2sim: Command) -> None:
    lines = s2sim("coverage").stdout.splitlines()

    assert lines[1].split() == ["IM", "1", "3", "1", "IM-002"]
    assert any(line.split()[:3] == ["RFC", "6121", "1"] for line in lines)


def test_steps_explains_every_verb(s2sim: Command) -> None:
    from simulator.scenario.steps import VERBS

    told = s2sim("steps").stdout

    assert all(f"  {verb.name}   [" in told for verb in VERBS.values())
    assert "denies-every-key" in told


def test_saved_journals_are_judged_the_same(folder: Path, s2sim: Command) -> None:
    add(folder, "im/bad", BAD)
    s2sim("run")
    judged = s2sim("judge", "reports/last")

    assert judged.returncode == 1
    assert [line.split()[0] for line in judged.stdout.splitlines()] == ["FAIL", "PASS"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ('{"at": 0, "kind": "run", "data"', "one.jsonl:1: not a journal entry"),
        ('{"at": 0, "kind": "step"}', "one.jsonl:1: a journal begins with its run"),
        ('{"at": 0, "kind": "run", "data": {"scenario": 5}}', "one.jsonl:1: a journal begins with its run"),
        ('{"at": 0, "kind": "run", "data": {"scenario": "im/gone"}}', "is called 'im/gone'"),
        ('{"at": 0, "kind": "run", "data": {"a": ' + "[" * 100_000, "one.jsonl:1: not a journal entry"),
    ],
)
def test_what_is_no_journal_is_said_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    monkeypatch.chdir(folder)
    Path("one.jsonl").write_text(text)

    assert main(["judge", "one.jsonl"]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert len(told.splitlines()) == 1


def test_old_journals_do_not_stay(folder: Path, s2sim: Command) -> None:
    add(folder, "im/bad", BAD)
    s2sim("run")
    s2sim("run", "im/good")

    assert os.listdir(folder / "reports" / "last" / "journals") == ["im__good.jsonl"]


def test_an_interrupted_run_reports_what_ran(folder: Path) -> None:
    add(folder, "im/hanging", HANGING)
    process: Any = subprocess.Popen(
        [sys.executable, "-m", "simulator", "run", "im/good", "im/hanging", "--jobs", "2"],
        cwd=folder,
        env={**environment(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=20)

    assert first.startswith("PASS")
    assert process.returncode == 130
    assert "1 PASS on embedded" in rest
    assert "interrupted, 1 not played" in rest
    assert errors == ""
    assert json.loads((folder / "reports" / "last" / "run.json").read_text())["totals"] == {"PASS": 1}
    assert os.listdir(folder / "temporary") == []


#: Ctrl-C at the moment when a module is about to be loaded.
CUT = """
import os, signal, sys

def look(event, given):
    if event == "import" and given[0] == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(look)
from simulator.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("module", ["typer", "simulator.cli.commands", "simulator.report.console", "asyncio.runners"])
def test_an_early_interruption_is_one_line(folder: Path, module: str) -> None:
    command = [sys.executable, "-c", CUT, module, "run"]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "s2sim: interrupted before anything was played\n"


def test_a_world_stays_up_until_interrupted(folder: Path) -> None:
    process: Any = subprocess.Popen(
        [sys.executable, "-m", "simulator", "up"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    told = [process.stdout.readline() for _ in range(3)]
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)

    assert told[0].startswith("name server ")
    assert "contoso.com (embedded" in told[1]
    assert (process.returncode, errors) == (0, "")
    assert os.listdir(folder / "temporary") == []


def test_the_command_starts_quickly(s2sim: Command) -> None:
    fastest = min(_seconds(s2sim) for _ in range(3))

    assert fastest < 3.0


def _seconds(s2sim: Command) -> float:
    """Of the processor: what it waits for others on a busy machine is not its own."""
    before = os.times()
    s2sim("--help")
    after = os.times()

    return after.children_user - before.children_user + after.children_system - before.children_system
