"""The table of quirks: each changes something, each is tried, and nonsense is refused."""

from dataclasses import fields
from pathlib import Path

import pytest

from simulator.world.quirks import QUIRKS, Behaviour, QuirkError, behave, read_quirk


def test_every_quirk_changes_something_that_exists() -> None:
    known = {field.name for field in fields(Behaviour)}

    for name, quirk in QUIRKS.items():
        argument = "" if not quirk.argument or quirk.argument.startswith("[") else ": 1"

        assert quirk.changes.keys() <= known
        assert behave(Behaviour(), [name + argument]) != Behaviour() or quirk.argument.startswith("[the host")
        assert quirk.says


def test_every_quirk_has_been_seen() -> None:
    files = [Path(__file__).parent / "partner" / name for name in ("test_partner_quirks.py", "test_trust_quirks.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)

    assert [name for name in QUIRKS if f'"{name}' not in text] == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("denies-evry-key", "no quirk is called 'denies-evry-key'"),
        ("no-to: x", "takes no argument"),
        ("answers-error", "needs an argument"),
        ("segments: many", "needs a number of bytes, not 'many'"),
    ],
)
def test_a_quirk_that_makes_no_sense_is_refused(given: str, message: str) -> None:
    with pytest.raises(QuirkError, match=message):
        behave(Behaviour(), [given])


def test_a_quirk_is_read_as_text_or_mapping() -> None:
    assert read_quirk("answers-error: forbidden") == read_quirk({"answers-error": "forbidden"})
