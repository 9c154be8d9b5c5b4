"""The file of --keylog: whose it is, who writes there, and who says so."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.cli.keylog import VARIABLE, logging_keys
from tests.test_cli import environment

OVER_TLS = """
settings:
  gmail.com: {tls: required, sasl: required, dialback: false, keepalive: false}
partners:
  gmail.com: {profile: xmpp-server, tls: required}
"""


def test_the_summary_names_a_file_that_is_its_owners_alone(good: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "run", "im/good-0", "--keylog", "secrets.log"],
        cwd=good,
        env=environment(good),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("; TLS secrets in secrets.log\n")
    assert stat.S_IMODE((good / "secrets.log").stat().st_mode) == 0o600


def test_the_tls_of_every_process_writes_whole_lines(good: Path) -> None:
    for file in (good / "scenarios" / "im").iterdir():
        file.write_text(OVER_TLS + file.read_text())

    done = subprocess.run(
        [sys.executable, "-m", "simulator", "run", "--processes", "2", "--keylog", "secrets.log"],
        cwd=good,
        env=environment(good),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.split() for line in (good / "secrets.log").read_text().splitlines()]

    assert done.returncode == 0, done.stdout
    # At least one connection in each of the six scenarios, and both of its ends.
    assert len([line for line in lines if line[0] == "CLIENT_TRAFFIC_SECRET_0"]) >= 12
    assert {len(line) for line in lines} == {3}


@pytest.mark.parametrize("file", ["scenarios", "nowhere/secrets.log"])
def test_a_file_that_cannot_be_written_is_wrong_use(
    good: Path, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(good)

    assert main(["run", "--keylog", file]) == 2
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    assert "--keylog" in told.err


def test_the_variable_is_set_for_the_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    for before in ("", "elsewhere"):
        monkeypatch.delenv(VARIABLE, raising=False)

        if before:
            monkeypatch.setenv(VARIABLE, before)

        with logging_keys(Path("secrets.log")):
            assert os.environ[VARIABLE] == str(tmp_path / "secrets.log")

        assert os.environ.get(VARIABLE, "") == before


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    file = tmp_path / "secrets.log"
    file.write_text("# of an earlier run\n")

    with logging_keys(file):
        pass

    assert file.read_text() == "# of an earlier run\n"


def test_without_a_file_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    with logging_keys(None):
        assert VARIABLE not in os.environ
