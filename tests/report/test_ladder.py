"""The ladder shows who said what, and nothing that a terminal would obey."""

from __future__ import annotations

from typing import Any

from simulator.journal import Entry, Journal
from simulator.report.ladder import draw, rungs


def journal(*records: tuple[str, str, str, dict[str, Any]]) -> list[Entry]:
    made = Journal(lambda: 0.0)

    for kind, actor, stream, data in records:
        made.record(kind, actor, stream, **data)

    return made.entries


def test_partners_stand_left_and_users_right() -> None:
    entries = journal(
        ("sent", "gmail.com", "gmail.com/out", {"text": "<from-partner/>"}),
        ("received", "gmail.com", "gmail.com/out", {"text": "<from-system/>"}),
        ("delivered", "alice@contoso.com", "", {"what": "message", "body": "Hi"}),
    )
    _, sent, received, delivered = draw(entries)
    middle = sent.index("│")

    assert "<from-partner/>" in sent[:middle]
    assert sent[:middle].endswith("▶")
    assert "◀ <from-system/>" in received[:middle]
    assert "message body='Hi'" in delivered[middle:]
    assert delivered.endswith("▶")


def test_control_characters_never_reach_the_terminal() -> None:
    hostile = "\x1b]0;owned\x07<a>\u202e\r\n"
    entries = journal(
        ("received", "gmail.com\x1b", "a\x1b", {"text": hostile}),
        ("received", "gmail.com", "b", {"text": hostile}),
        ("ended", "gmail.com", "b", {"condition": hostile, "by": "them"}),
        ("query", "dns", "", {"name": hostile, "type": "A", "answers": [hostile]}),
        ("delivered", "alice@contoso.com", "", {"what": hostile, "body": hostile}),
        ("step", "gmail.com", "", {"text": hostile, "outcome": "done"}),
        ("problem", "system", "", {"text": hostile}),
    )

    for width in (80, 132, 300):
        lines = draw(entries, width=width)
        assert len(lines) == 8
        assert all(line.isprintable() for line in lines)


def test_lines_keep_the_width() -> None:
    entries = journal(
        *[("sent", "gmail.com", f"gmail.com/{number}", {"text": "x" * 500}) for number in range(3)],
        ("delivered", "alice@contoso.com", "", {"what": "message", "body": "y" * 500}),
        ("step", "gmail.com", "", {"text": "z" * 500, "outcome": "done"}),
    )

    assert {len(line) <= 100 for line in draw(entries, width=100)} == {True}


def test_only_the_last_exchange_is_drawn() -> None:
    entries = journal(*[("sent", "gmail.com", "", {"text": f"<m{number}/>"}) for number in range(30)])
    lines = draw(entries, last=5)

    assert len(lines) == 7
    assert "25 earlier" in lines[1]
    assert "<m29/>" in lines[-1]


def test_the_teardown_is_left_out() -> None:
    entries = journal(
        ("sent", "gmail.com", "", {"text": "<a/>"}),
        ("step", "", "", {"part": "teardown", "outcome": "done"}),
        ("sent", "gmail.com", "", {"text": "</stream:stream>"}),
    )

    assert [rung.text for rung in rungs(entries)] == ["<a/>"]


def test_bytes_that_are_no_text_are_drawn() -> None:
    entries = journal(("received", "gmail.com", "", {"base64": "/w=="}))

    assert "(base64) /w==" in draw(entries)[1]


def test_tls_and_what_came_of_it_are_shown() -> None:
    certificate = {"names": ["contoso.com"], "subject": "CN=x"}
    shown = {"version": "TLSv1.3", "cipher": "AES", "sni": "contoso.com", "alpn": None, "certificate": certificate}
    bare = {"version": "TLSv1.2", "cipher": "AES", "sni": None, "alpn": "xmpp-server", "certificate": None}
    entries = journal(
        ("secured", "gmail.com", "gmail.com/out", {**shown, "by": "us"}),
        ("secured", "gmail.com", "gmail.com/out", {**bare, "by": "them"}),
        (
            "authenticated",
            "gmail.com",
            "gmail.com/out",
            {"method": "dialback over TLS", "pair": ["a.example", "b.example"]},
        ),
        ("ended", "gmail.com", "gmail.com/out", {"tcp": "fin", "by": "them", "tls": "wrong version number"}),
    )
    _, ours, theirs, proven, ended = draw(entries, width=240)

    assert "gmail.com: TLSv1.3 AES, sni contoso.com; the system's certificate: contoso.com ─" in ours
    assert "◀ gmail.com: TLSv1.2 AES, alpn xmpp-server; no certificate of the system" in theirs
    assert "gmail.com: a.example to b.example by dialback over TLS" in proven
    assert "wrong version number, fin" in ended
