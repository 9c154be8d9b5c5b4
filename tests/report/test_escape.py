"""Whatever a system sent is harmless when it is drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.report.escape import harmless, shortened


@pytest.mark.parametrize(
    ("hostile", "drawn"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u202egpj.exe", "\\u{202e}gpj.exe"),
        ("zero\u200bwidth", "zero\\u{200b}width"),
        ("\ud800", "\\u{d800}"),
        ("no\u00a0break", "no\\xa0break"),
        (r"C:\new", r"C:\\new"),
        ("Grüße, 日本", "Grüße, 日本"),
    ],
)
def test_hostile_characters_are_written_out(hostile: str, drawn: str) -> None:
    assert harmless(hostile) == drawn


@given(st.text())
def test_what_is_drawn_is_one_printable_line(text: str) -> None:
    assert harmless(text).isprintable()


@given(st.text(), st.text())
def test_different_texts_are_drawn_differently(one: str, other: str) -> None:
    assert (harmless(one) == harmless(other)) == (one == other)


@given(st.text(), st.integers(min_value=12, max_value=200))
def test_shortening_keeps_the_width(text: str, width: int) -> None:
    assert len(shortened(text, width)) <= width


def test_shortening_counts_what_is_left_out() -> None:
    assert shortened("a" * 100, 20) == "a" * 15 + "… +85"


@given(st.integers(min_value=0, max_value=3000), st.integers(min_value=12, max_value=200))
def test_what_is_kept_and_what_is_counted_is_all(length: int, width: int) -> None:
    kept, _, counted = shortened("a" * length, width).partition("… +")

    assert len(kept) + int(counted or 0) == length
