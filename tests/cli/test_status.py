"""The tables of ``s2sim status``."""

from __future__ import annotations

from typing import Any

from simulator.cli.status import lines_of

STREAM: dict[str, Any] = {
    "id": 2,
    "edge": "edge",
    "direction": "outbound",
    "local": "127.0.0.1:48508",
    "remote": "127.0.0.9:5269",
    "pairs": [{"local": "contoso.com", "remote": "gmail.com"}, {"local": "contoso.com", "remote": "googlemail.com"}],
    "method": "dialback over TCP",
    "tls": "",
    "age": 6.235,
    "idle": 0.4,
    "stanzas_in": 0,
    "stanzas_out": 4,
}


def test_a_stream_is_one_line_that_says_who_sends_to_whom() -> None:
    begun = {**STREAM, "direction": "inbound", "pairs": [], "method": "", "tls": "TLSv1.3"}
    sent = {**begun, "pairs": [{"local": "contoso.com", "remote": "gmail.com"}], "method": "SASL EXTERNAL over TLS"}
    lines = list(lines_of({"streams": [STREAM, begun, sent]}))
    table = lines[lines.index("STREAMS") + 1 :]

    assert "contoso.com → gmail.com, contoso.com → googlemail.com  dialback over TCP" in table[1]
    assert table[1].split()[-8:] == ["-", "127.0.0.9:5269", "6", "s", "0", "s", "0", "4"]
    assert table[2].split()[:4] == ["inbound", "-", "-", "TLSv1.3"]
    assert "contoso.com ← gmail.com" in table[3]


def test_a_gateway_without_anything_is_shown() -> None:
    assert [line for line in lines_of({}) if line] == [
        "SERVICES", "  none", "LISTENING", "  none", "LINKS", "  none", "STREAMS", "  none", "COUNTERS", "  none"
    ]  # fmt: skip
