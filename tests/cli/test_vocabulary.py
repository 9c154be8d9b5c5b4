"""Words that mean nothing are found before anything is played, at their place in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.cli import main

STEPS = "steps:\n- gmail.com is authenticated\n"


@pytest.mark.parametrize(
    ("head", "line", "says"),
    [
        ("claim: x\nneeds: [several-domain]\n", 2, "did you mean several-domains"),
        ("claim: x\nneeds:\n- xyz\n", 2, "there are: allow-list"),
        ("claim: x\nmutants:\n- denied-key-are-good\n", 2, "did you mean denied-keys-are-good"),
        ("claim: x\nmutants: [nonsense]\n", 2, "no mutant is called 'nonsense'"),
        ("claim: x\n\tneeds: []\n", 2, "not with tabs"),
        ("claim: x\n\0\n", 1, "not YAML: unacceptable character #x0000: special characters are not allowed\n"),
        ("claim: x\npartners:\n  gmail.com:\n    profile: google\n", 4, "did you mean google-talk"),
        ("claim: x\npartners:\n  gmail.com: {quirks: [deny-every-key]}\n", 3, "did you mean denies-every-key"),
        ("claim: x\npartners:\n  gmail.com: {quirks: ['slow: very']}\n", 3, "the quirk slow needs"),
        ("claim: x\npartners:\n  gmail.com: {tls: optional, certificate: expird}\n", 3, "did you mean expired"),
        ("claim: x\nsettings:\n  gmail.com:\n    tsl: required\n", 4, "did you mean tls"),
    ],
)
def test_words_without_meaning_are_found_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], head: str, line: int, says: str
) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(head + STEPS)
    code = main(["run", "--scenarios", str(tmp_path), "--output", str(tmp_path / "out")])
    told = capsys.readouterr()

    assert (code, told.out) == (2, "")
    assert told.err.startswith(f"s2sim: {file}:{line}:")
    assert says in told.err


def test_a_kind_of_certificate_in_a_step_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = "- gmail.com connects\n- gmail.com starts TLS: {certificate: self-signd}\n"
    (tmp_path / "one.yaml").write_text(f"claim: x\nsteps:\n{steps}")

    assert main(["run", "--scenarios", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "line 4: no kind of certificate is called 'self-signd'" in (told := capsys.readouterr().err)
    assert "did you mean self-signed" in told
