"""The header ms-text-format, as clients of Microsoft write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.errors import SIPSyntaxError
from simulator.sip.first_message import FirstMessage, read_first_message, write_first_message


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("text/plain; charset=UTF-8; ms-body=SGk=", FirstMessage("text/plain", "UTF-8", b"Hi")),
        ("text/plain; charset=UTF-8;msgr=WAAtAE0ADQAKAA0ACgA;ms-body=SGk=", FirstMessage("text/plain", "UTF-8", b"Hi")),
        ("text/plain;ms-body=SGk", FirstMessage("text/plain", "UTF-8", b"Hi")),
        ('TEXT/HTML; Charset="utf-8"; Ms-Body="PGI+"', FirstMessage("text/html", "utf-8", b"<b>")),
        ("text/plain; charset=UTF-8;ms-body=", FirstMessage("text/plain", "UTF-8", b"")),
        ("text/plain; charset=UTF-8", None),
    ],
)
def test_header_is_read(value: str, read: FirstMessage | None) -> None:
    assert read_first_message(value) == read


def test_font_is_not_part_of_the_content_type() -> None:
    message = read_first_message("text/plain; charset=UTF-8;msgr=WAAtAE0;ms-body=SGk=")

    assert message is not None
    assert message.content_type == "text/plain;charset=UTF-8"


@pytest.mark.parametrize("value", ["", "text", "text/plain;ms-body=S", "text/plain;ms-body=S!k=", "text/plain junk"])
def test_what_is_no_such_header_is_refused(value: str) -> None:
    with pytest.raises(SIPSyntaxError):
        read_first_message(value)


@given(st.text())
def test_text_is_read_as_it_was_written(text: str) -> None:
    body = text.encode("utf-8", "replace")

    assert read_first_message(write_first_message("text/plain", body)) == FirstMessage("text/plain", "UTF-8", body)
