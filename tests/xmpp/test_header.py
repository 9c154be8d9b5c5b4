"""Headers there and back, and the version that two of them agree on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.xmpp.events import StreamHeader
from simulator.xmpp.header import negotiated_version, write_header
from simulator.xmpp.stream import Stream

words = st.one_of(st.none(), st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"]), max_size=10))


@given(st.builds(StreamHeader, sender=words, to=words, id=words, version=words, lang=words, dialback=st.booleans()))
def test_what_is_written_is_read_again(header: StreamHeader) -> None:
    assert Stream(initiating=False).receive(write_header(header)) == [header]


@pytest.mark.parametrize(
    ("theirs", "agreed"),
    [
        # RFC 6120 §4.7.5: the lower of both, compared as numbers, leading zeros ignored, absent is 0.9.
        ("1.0", (1, 0)),
        ("1.7", (1, 0)),
        ("1.13", (1, 0)),
        ("2.0", (1, 0)),
        ("11.0", (1, 0)),
        ("01.00", (1, 0)),
        ("0.9", (0, 9)),
        ("0.10", (0, 10)),
        (None, None),
        ("", None),
        ("1", None),
        ("1.0.1", None),
        ("abc", None),
        (" 1.0", None),
        ("1.-1", None),
        ("١.٠", None),
        ("1.0\n", None),
        ("9" * 10_000 + ".0", None),
    ],
)
def test_the_lower_version_holds(theirs: str | None, agreed: tuple[int, int] | None) -> None:
    assert negotiated_version(theirs) == agreed
