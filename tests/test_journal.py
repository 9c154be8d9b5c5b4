"""A journal keeps what it is given, in order, and comes back from a file as it was."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.journal import KINDS, Entry, Journal, JournalError, load


def ticking() -> Journal:
    return Journal(itertools.count(1000.0, 0.5).__next__)


def test_entries_are_stamped_from_the_beginning() -> None:
    journal = ticking()

    assert journal.record("run", "runner", scenario="x") == 0
    assert journal.record("log", text="hello") == 1
    assert [(entry.at, entry.kind, entry.actor, entry.data) for entry in journal] == [
        (0.5, "run", "runner", {"scenario": "x"}),
        (1.0, "log", "", {"text": "hello"}),
    ]


def test_an_unknown_kind_is_refused() -> None:
    journal = ticking()

    with pytest.raises(ValueError, match="no kind of entry is called 'gossip'"):
        journal.record("gossip")

    assert journal.entries == []


def test_bytes_are_kept_readable_where_they_are_text() -> None:
    journal = ticking()
    journal.record_bytes("sent", "gmail.com", "s", "<a>é</a>".encode())
    journal.record_bytes("received", "gmail.com", "s", b"\xff\x00")

    assert journal.entries[0].data == {"text": "<a>é</a>"}
    assert base64.b64decode(journal.entries[1].data["base64"]) == b"\xff\x00"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.builds(
    Entry,
    at=st.floats(0, 1e6, allow_nan=False).map(lambda at: round(at, 6)),
    kind=st.sampled_from(sorted(KINDS)),
    actor=st.text(max_size=8),
    stream=st.text(max_size=8),
    data=st.dictionaries(st.text(max_size=4), PLAIN, max_size=3),
)


@given(entries=st.lists(ENTRIES, min_size=1, max_size=5))
def test_a_saved_journal_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]) -> None:
    path = tmp_path_factory.mktemp("journals") / "journal.jsonl"
    journal = ticking()
    journal.entries = entries
    journal.save(path)

    assert load(path) == entries
    assert [file.name for file in path.parent.iterdir()] == ["journal.jsonl"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b'{"at": 0, "kind": "run"}\n{"at": 1, "ki', r":2: not a journal entry"),
        (b'{"at": 0}\n', r":1: not a journal entry: Object missing required field `kind`"),
        (b"[]\n", r":1: not a journal entry"),
    ],
)
def test_a_broken_file_is_refused_at_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)

    with pytest.raises(JournalError, match=message):
        load(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read: No such file"):
        load(tmp_path / "none.jsonl")
