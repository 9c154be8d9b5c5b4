"""Files that a command writes in the end: whether it can is found out before there is anything to lose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.cli.lookup import check_writable
from tests.test_cli import environment


@pytest.fixture
def earlier(good: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of an earlier run, in the folder that is current."""
    monkeypatch.chdir(good)
    journal = good / "reports" / "last" / "journals" / "earlier.jsonl"
    journal.parent.mkdir(parents=True)
    journal.touch()

    return journal


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--json", "here.txt/x.json"], "here.txt: cannot be written: File exists; choose another --json FILE"),
        (["--json", "scenarios"], "scenarios: cannot be written: Is a directory; choose another --json FILE"),
        (["--output", "odd"], "odd/run.json: cannot be written: Is a directory; choose another --output DIR"),
        (["--output", "here.txt"], "here.txt: cannot be written: File exists; choose another --output DIR"),
        (
            ["--keylog", "no/where"],
            "no/where: cannot be written: No such file or directory; choose another --keylog FILE",
        ),
    ],
)
def test_nothing_is_played_for_what_cannot_be_written(
    earlier: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    Path("here.txt").write_text("kept")
    Path("odd", "run.json").mkdir(parents=True)

    assert main(["run", *options]) == 2

    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"s2sim: {says}\n")
    assert earlier.exists()
    assert Path("here.txt").read_text() == "kept"


@pytest.mark.parametrize("name", ["results.json", "folder/results.json"])
def test_results_take_the_place_of_what_was_there(earlier: Path, name: str) -> None:
    Path("folder").mkdir()
    Path(name).write_text("of the last run")

    assert main(["run", "im/nothing-like-it", "--json", name]) == 2
    assert Path(name).read_text() == "of the last run"

    assert main(["run", "im/good-0", "--json", name]) == 0
    assert json.loads(Path(name).read_text())["totals"] == {"PASS": 1}
    assert not earlier.exists()
    assert [file.name for file in Path(name).parent.iterdir() if "results" in file.name] == ["results.json"]


def test_a_link_leads_to_the_results_and_stays(earlier: Path) -> None:
    Path("there.json").touch()
    Path("results.json").symlink_to("there.json")

    assert main(["run", "im/good-0", "--json", "results.json"]) == 0
    assert Path("results.json").is_symlink()
    assert json.loads(Path("there.json").read_text())["totals"] == {"PASS": 1}


def test_results_go_into_a_pipe(good: Path) -> None:
    receiving, sending = os.pipe()
    command = [sys.executable, "-m", "simulator", "run", "im/good-0", "--json", f"/dev/fd/{sending}"]
    done = subprocess.run(
        command, cwd=good, env=environment(good), stdout=subprocess.DEVNULL, pass_fds=[sending], check=False
    )
    os.close(sending)

    with open(receiving, "rb") as pipe:
        assert json.loads(pipe.read())["totals"] == {"PASS": 1}

    assert done.returncode == 0


@pytest.mark.parametrize("save", ["no/where.yaml", "scenarios", "gateway.yaml/x"])
def test_no_line_is_run_for_a_copy_that_cannot_be_saved(
    good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], save: str
) -> None:
    monkeypatch.chdir(good)
    Path("gateway.yaml").write_text("domains: [contoso.com]\n")
    Path("script.ps1").write_text("Get-CsXmppAllowedPartner\n")

    assert main(["shell", "--config", "gateway.yaml", "--script", "script.ps1", "--save", save]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"s2sim: {save}: cannot be written: ")
    assert told.err.endswith("; choose another --save FILE\n")


def test_looking_whether_a_copy_can_be_saved_leaves_nothing(good: Path) -> None:
    new, link = good / "new.yaml", good / "link.yaml"
    link.symlink_to("there.yaml")

    for file in (new, link):
        check_writable(file, "--save FILE")

    assert not new.exists()
    assert link.is_symlink()
    assert not link.exists()

    new.write_text("kept")
    check_writable(new, "--save FILE")
    assert new.read_text() == "kept"
