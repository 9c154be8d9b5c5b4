"""Answers to a ClientHello by hand, held against what was expected."""

from typing import Any

import pytest

from simulator.verdict.compare import describe
from simulator.verdict.hello import answered

HELLO = {"kind": "hello", "version": "TLSv1.2", "suite": "TLS_RSA_WITH_AES_128_CBC_SHA", "compression": "0"}
ALERT = {"kind": "alert", "alert": "handshake_failure"}
NONE = {"kind": "none"}
TEXT = {"kind": "plaintext", "text": "</stream:stream>"}


@pytest.mark.parametrize(
    ("argument", "answer", "holds"),
    [
        ("hello", HELLO, True),
        ("hello", ALERT, False),
        ("hello", NONE, False),
        ("refused", ALERT, True),
        ("refused", NONE, True),
        ("refused", HELLO, False),
        # RFC 6120 §5.4.3.2: no closing tag.
        ("refused", TEXT, False),
        ({"version": "TLSv1.2"}, HELLO, True),
        ({"version": ["TLSv1.3", "TLSv1.2"], "compression": 0}, HELLO, True),
        ({"version": "TLSv1.3"}, HELLO, False),
        ({"compression": 0}, ALERT, False),
        ({"alert": "handshake_failure"}, ALERT, True),
        ({"alert": ["protocol_version", "insufficient_security"]}, ALERT, False),
        ({"alert": "handshake_failure"}, HELLO, False),
    ],
)
def test_an_answer_is_judged(argument: Any, answer: dict[str, str], holds: bool) -> None:
    assert (answered(argument, {"answer": answer}, {}) is None) == holds


def test_no_answer_refuses() -> None:
    assert answered("refused", {}, {}) is None
    assert answered("hello", {}, {}) is not None


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (HELLO, "a ServerHello: TLSv1.2, TLS_RSA_WITH_AES_128_CBC_SHA, compression 0"),
        (ALERT, "the alert handshake_failure"),
        (NONE, "no word of TLS"),
        (TEXT, 'words in the clear: "</stream:stream>"'),
    ],
)
def test_an_answer_is_told(answer: dict[str, str], text: str) -> None:
    assert describe({"answer": answer, "ended": {}}) == text
