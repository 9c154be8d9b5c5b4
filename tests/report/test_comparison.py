"""Runs side by side: what differs, and the table of families."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.cli import main
from simulator.report.comparison import UnreadableRun, comparison, differences, matrix, read_run
from simulator.report.results import Result, Run, write_json
from simulator.scenario.model import Scenario
from simulator.verdict import Outcome, Verdict

GOOD = {"dns/a": Outcome.PASS, "dns/b": Outcome.ALTERNATIVE, "presence/c": Outcome.PASS}


def saved(folder: Path, verdicts: dict[str, Outcome], *, system: str = "embedded", seed: int = 1) -> Path:
    results = [
        Result(Scenario(id=name, claim="holds"), Verdict(scenario=name, outcome=outcome), 0.1, None)
        for name, outcome in verdicts.items()
    ]
    write_json(Run(system, "1.0", seed, 1.0, results), folder / "run.json")

    return folder


def test_runs_that_agree_differ_in_nothing(tmp_path: Path) -> None:
    runs = [read_run(saved(tmp_path / str(seed), GOOD, seed=seed)) for seed in (1, 2, 3)]

    assert differences(runs) == {}
    assert list(comparison(runs))[-1] == "0 of 3 scenarios differ between these 3 runs"


def test_what_differs_is_named_with_every_verdict(tmp_path: Path) -> None:
    first = read_run(saved(tmp_path / "first", GOOD))
    other = read_run(saved(tmp_path / "other", {"dns/a": Outcome.FAIL, "dns/b": Outcome.ALTERNATIVE}, seed=2))

    assert differences([first, other]) == {
        "dns/a": [Outcome.PASS, Outcome.FAIL],
        "presence/c": [Outcome.PASS, None],
    }
    assert list(comparison([first, other])) == [
        f"{tmp_path / 'first'}  embedded 1.0, seed 1: 2 PASS, 1 ALTERNATIVE",
        f"{tmp_path / 'other'}  embedded 1.0, seed 2: 1 ALTERNATIVE, 1 FAIL",
        "",
        "dns/a: PASS | FAIL",
        "presence/c: PASS | not played",
        "2 of 3 scenarios differ between these 2 runs",
    ]


def test_the_matrix_has_a_line_for_each_family_and_a_column_for_each_run(tmp_path: Path) -> None:
    ours = read_run(saved(tmp_path / "ours", GOOD))
    theirs = read_run(saved(tmp_path / "theirs", {"dns/a": Outcome.FAIL, "dns/b": Outcome.FAIL}, system="prosody"))

    assert list(matrix([ours, theirs])) == [
        "P = PASS, A = ALTERNATIVE, F = FAIL",
        "",
        "| family | embedded 1.0 | prosody 1.0 |",
        "|---|---|---|",
        "| `dns` | 1 P · 1 A | 2 F |",
        "| `presence` | 1 P | – |",
        "| all | 2 P · 1 A | 2 F |",
    ]


def test_no_two_verdicts_share_a_letter() -> None:
    assert len({outcome.value[0] for outcome in Outcome}) == len(Outcome)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file or directory; `s2sim run --output DIR` writes DIR/run.json"),
        (b"", "these are no results of `s2sim run`: "),
        (b"\xff\xfe", "these are no results of `s2sim run`: "),
        (b'{"system": {"name": "x", "version": "1"}, "seed": 1}', "missing required field `results`"),
        (
            b'{"system": {"name": "x", "version": ""}, "seed": 1, "results": [{"id": "a", "verdict": "GOOD"}]}',
            "Invalid enum value 'GOOD' - at `$.results[0].verdict`",
        ),
    ],
)
def test_what_is_no_run_is_refused_by_name(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    file = tmp_path / "run.json"

    if content is not None:
        file.write_bytes(content)

    with pytest.raises(UnreadableRun) as raised:
        read_run(file)

    assert str(raised.value).startswith(f"{file}: ")
    assert complaint in str(raised.value)


def test_the_command_ends_like_diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, same = saved(tmp_path / "first", GOOD), saved(tmp_path / "same", GOOD, seed=2)
    other = saved(tmp_path / "other", {**GOOD, "dns/b": Outcome.INCONCLUSIVE})

    assert main(["compare", str(first), str(same / "run.json")]) == 0
    assert main(["compare", str(first), str(other)]) == 1
    assert main(["compare", "--matrix", str(first), str(other)]) == 0
    assert "| all | 2 P · 1 A | 2 P · 1 I |" in capsys.readouterr().out
    assert main(["compare", str(first)]) == 2
    assert main(["compare", str(first), str(tmp_path / "none")]) == 2
    assert f"s2sim: {tmp_path / 'none'}: No such file" in capsys.readouterr().err
