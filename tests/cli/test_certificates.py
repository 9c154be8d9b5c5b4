"""`s2sim certificates`: the list, the files, and what it refuses."""

from __future__ import annotations

import json
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.world.certificates.catalogue import KINDS

NEED_ANOTHER_DOMAIN = {"idn", "u-label", "xmppaddr-idn", "wildcard-a-label", "ip-address-only"}


def said(command: str) -> str:
    """What a command of the output prints when it is run as it stands there."""
    run = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False, timeout=20)

    return run.stdout + run.stderr


def test_every_kind_is_listed_with_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certificates"]) == 0

    lines = capsys.readouterr().out.splitlines()
    words = " ".join(line.strip() for line in lines)

    assert all(
        re.search(rf"^{name} +(yes|no|open) +(yes|no|open) +\S", "\n".join(lines), re.MULTILINE) for name in KINDS
    )
    assert all(kind.says in words for kind in KINDS.values())
    assert max(map(len, lines)) <= 120


def test_list_is_there_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certificates", "--json"]) == 0

    listed = {kind["name"]: kind for kind in json.loads(capsys.readouterr().out)}

    assert listed.keys() == KINDS.keys()
    assert listed["expired"]["acceptable_as_server"] is False
    assert listed["server-auth-only"]["acceptable_as_client"] is None


def test_files_are_what_their_lines_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "made"
    command = [
        "certificates",
        "intermediate",
        "revoked-http",
        "revoked",
        "--domain",
        "far.example",
        "--output",
        str(folder),
    ]

    assert main(command) == 0

    lines = capsys.readouterr().out.splitlines()
    named = {Path(line.split("  ")[0]).name: line.split("  ", 1)[1] for line in lines if line.startswith(str(folder))}

    assert set(named) == {file.name for file in folder.iterdir()}
    assert named["intermediate.pem"].endswith("behind it what is sent along, 1 more")
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("*.key")} == {0o600}

    verify, text, with_list = (line.strip() for line in lines if line.startswith("  openssl"))

    assert said(verify).endswith(": OK\n")
    assert "DNS:far.example" in said(text)
    assert "certificate revoked" in said(with_list)
    assert "Serial Number" in said(f"openssl crl -inform DER -in {folder / 'current.crl'} -noout -text")


def test_days_are_how_long_it_is_good(tmp_path: Path) -> None:
    command = ["certificates", "valid", "--domain", "far.example", "--output", str(tmp_path), "--days", "10"]

    assert main(command) == 0

    day = 24 * 3600
    check = f"openssl x509 -in {tmp_path / 'valid.pem'} -noout -checkend"

    assert said(f"{check} {10 * day - 60}") == "Certificate will not expire\n"
    assert said(f"{check} {10 * day + 60}") == "Certificate will expire\n"


def test_all_are_those_that_the_domain_can_have(tmp_path: Path) -> None:
    assert main(["certificates", "all", "--domain", "far.example", "--output", str(tmp_path)]) == 0

    written = {file.stem for file in tmp_path.glob("*.key")}

    assert written == KINDS.keys() - NEED_ANOTHER_DOMAIN


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["expird", "--domain", "far.example", "--output", "{folder}"], "did you mean 'expired'?"),
        (["valid", "--domain", "far.example"], "--output DIR"),
        (["valid", "--output", "{folder}"], "--domain D"),
        (["--domain", "far.example"], "which kinds?"),
        (["valid", "--json"], "--json is for the list"),
        (["idn", "--domain", "far.example", "--output", "{folder}"], "needs an internationalized domain"),
        (["valid", "--domain", "far..example", "--output", "{folder}"], "'far..example' is no address"),
        (["all", "--domain", "far..example", "--output", "{folder}"], "'far..example' is no address"),
        (["valid", "--domain", "far.example", "--output", "{folder}/file"], "cannot be written"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    assert main(["certificates", *(argument.format(folder=tmp_path) for argument in arguments)]) == 2

    error = capsys.readouterr().err

    assert why in error
    assert error.count("\n") == 1


def test_another_authority_is_not_put_over_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["certificates", "valid", "--domain", "far.example", "--output", str(tmp_path)]

    assert main(command) == 0

    before = (tmp_path / "authority.pem").read_bytes()

    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "authority.pem").read_bytes() == before
