"""Steps about TLS and SASL: what an act saw against what the step demands."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.verdict import judge_step
from tests.verdict.journals import scenario

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
CERTIFICATE: dict[str, Any] = {
    "names": ["contoso.com", "*.contoso.com"],
    "subject": "CN=x",
    "issuer": "CN=y",
    "sha256": "00",
}
CERTIFICATE |= {"trusted": True, "authority": False, "digest": "sha256"}
SHOWN = {
    "version": "TLSv1.3",
    "cipher": "TLS_AES_128_GCM_SHA256",
    "sni": "gmail.com",
    "alpn": None,
    "certificate": CERTIFICATE,
    "by": "us",
}
HEADER = {"from": "contoso.com", "version": "1.0"}
CUT = {"condition": None, "text": None, "closing_tag": False, "tcp": "fin", "by": "them"}
TOLD = {**CUT, "condition": "policy-violation", "closing_tag": True}
FAILED = {"failed": "tlsv1 alert protocol version", "ended": CUT}
SUCCESS, NOT_AUTHORIZED = f"<success xmlns='{SASL}'/>", f"<failure xmlns='{SASL}'><not-authorized/></failure>"

#: sentence, what was seen, how the reason begins (empty: PASS)
TABLE: list[tuple[str, dict[str, Any], str]] = [
    ("starts TLS", {"secured": SHOWN, "header": HEADER}, ""),
    ("starts TLS", {"secured": SHOWN, "header": HEADER, "ended": TOLD}, ""),
    ("starts TLS", {"secured": SHOWN, "ended": CUT}, "/tls: expected a stream over TLS, got TLSv1.3 with a cert"),
    ("starts TLS", FAILED, "/tls: expected a stream over TLS, got TLS failed: tlsv1 alert"),
    ("starts TLS", {"xml": "<failure/>"}, "/tls: expected a stream over TLS, got <failure/>"),
    ("starts TLS", {"ended": TOLD}, "/tls: expected a stream over TLS, got the end of the stream with policy"),
    ("starts TLS", {}, "/tls: expected a stream over TLS, got nothing"),
    ("starts TLS: {refused: false}", FAILED, "/tls"),
    ("starts TLS: {restart: false}", {"secured": SHOWN}, ""),
    ("starts TLS: {restart: false, refused: true}", {"secured": SHOWN}, "/tls: expected TLS to be refused, got TLS"),
    ("starts TLS: {refused: true}", {"secured": SHOWN, "header": HEADER}, "/tls: expected TLS to be refused"),
    ("starts TLS: {refused: true}", FAILED, ""),
    ("starts TLS: {refused: true}", {"secured": SHOWN, "ended": CUT}, ""),
    ("starts TLS: {refused: true}", {"xml": "<failure/>", "header": HEADER}, ""),
    ("starts TLS: {refused: {condition: null}}", FAILED, ""),
    ("starts TLS: {refused: {condition: null}}", {**FAILED, "ended": TOLD}, "/stream/condition: expected nothing"),
    ("starts TLS: {refused: {condition: policy-violation}}", {**FAILED, "ended": TOLD}, ""),
    ("starts TLS: {refused: {condition: policy-violation}}", FAILED, '/stream/condition: expected "policy-violation"'),
    ("starts TLS: {refused: {closing-tag: false}}", {**FAILED, "ended": TOLD}, '/stream/closing-tag: expected "false"'),
    ("accepts TLS", {"secured": SHOWN, "header": HEADER}, ""),
    ("opens a TLS connection", FAILED, "/tls"),
    ("sees TLS: {version: TLSv1.3, sni: gmail.com, alpn: null, cipher: 'TLS_AES{rest}'}", {"secured": SHOWN}, ""),
    ("sees TLS: {version: [TLSv1.2, TLSv1.3]}", {"secured": SHOWN}, ""),
    ("sees TLS: {version: TLSv1.2}", {"secured": SHOWN}, '/tls/version: expected "TLSv1.2", got "TLSv1.3"'),
    ("sees TLS: {sni: null}", {"secured": SHOWN}, '/tls/sni: expected nothing, got "gmail.com"'),
    ("sees TLS: {alpn: xmpp-server}", {"secured": SHOWN}, '/tls/alpn: expected "xmpp-server", got nothing'),
    ("sees TLS: {names: contoso.com}", {"secured": SHOWN}, ""),
    ("sees TLS: {names: [contoso.com, fabrikam.com]}", {"secured": SHOWN}, '/tls/certificate/names: expected "fab'),
    ("sees TLS: {names: a.example}", {"secured": {**SHOWN, "certificate": None}}, "/tls/certificate/names"),
    ("sees TLS: {certificate: false}", {"secured": {**SHOWN, "certificate": None}}, ""),
    ("sees TLS: {certificate: false}", {"secured": SHOWN}, "/tls/certificate: expected none, got TLSv1.3"),
    ("sees TLS: {certificate: true}", {"secured": {**SHOWN, "certificate": None}}, "/tls/certificate: expected one"),
    ("sees TLS: {trusted: true, authority: false, subject: 'CN={name}'}", {"secured": SHOWN}, ""),
    ("sees TLS: {trusted: false}", {"secured": SHOWN}, '/tls/trusted: expected "false", got "true"'),
    ("sees TLS: {digest: [sha384, sha512]}", {"secured": SHOWN}, '/tls/digest: expected "sha384" or "sha512", got "s'),
    ("sees TLS: {trusted: true}", {"secured": {**SHOWN, "certificate": None}}, '/tls/trusted: expected "true", got no'),
    ("sees TLS: {resumed: false}", {"secured": SHOWN}, ""),
    ("sees TLS: {resumed: false}", {"secured": {**SHOWN, "resumed": True}}, "/tls/resumed: expected false, got true"),
    ("sees TLS: {version: TLSv1.3}", FAILED, "/tls: expected TLS, got TLS failed"),
    ("accepts a restart", {"header": HEADER}, ""),
    ("accepts a restart", {"ended": CUT}, "/header: expected the header of a new stream, got the end of the stream"),
    ("authenticates with EXTERNAL", {"xml": SUCCESS}, ""),
    ("authenticates with EXTERNAL", {"xml": NOT_AUTHORIZED}, "/success: expected <success"),
    ("authenticates with EXTERNAL", {"ended": TOLD}, "/sasl: expected an answer to <auth/>, got the end of the stream"),
    ("authenticates with EXTERNAL: {refused: true}", {"xml": NOT_AUTHORIZED}, ""),
    ("authenticates with EXTERNAL: {refused: true}", {"xml": SUCCESS}, "/failure: expected <failure"),
    ("authenticates with EXTERNAL: {refused: true}", {"ended": TOLD}, "/sasl"),
    ("authenticates with EXTERNAL: {refused: not-authorized}", {"xml": NOT_AUTHORIZED}, ""),
    ("authenticates with EXTERNAL: {refused: [aborted, not-authorized]}", {"xml": NOT_AUTHORIZED}, ""),
    ("authenticates with EXTERNAL: {refused: invalid-authzid}", {"xml": NOT_AUTHORIZED}, "/failure/invalid-authzid"),
    ("is authenticated", {"xml": SUCCESS, "authenticated_by": "SASL EXTERNAL over TLS"}, ""),
    ("is authenticated", {"xml": NOT_AUTHORIZED}, "/result"),
    ("is authenticated: {method: dialback over TLS}", {"xml": SUCCESS, "authenticated_by": "SASL EXTERNAL over TLS"},
     '/method: expected "dialback over TLS", got "SASL EXTERNAL over TLS"'),
    ("is authenticated: {method: SASL EXTERNAL over TLS}",
     {"xml": SUCCESS, "authenticated_by": "SASL EXTERNAL over TLS"}, ""),
    ("is disconnected: {close-notify: true}", {"ended": {**CUT, "close_notify": True}}, ""),
    ("is disconnected: {close-notify: true}", {"ended": CUT}, "/tls: expected close_notify, got no close_notify"),
    ("is disconnected: {close-notify: false}", {"ended": CUT}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "seen", "reason"), TABLE)
def test_the_table_of_steps_about_trust_holds(sentence: str, seen: dict[str, Any], reason: str) -> None:
    played = scenario(f"gmail.com connects\ngmail.com {sentence}")
    verdict = judge_step(played.steps[1], {"seen": seen}, {})

    assert verdict.outcome.value == ("FAIL" if reason else "PASS"), verdict
    assert verdict.reason.startswith(reason)
