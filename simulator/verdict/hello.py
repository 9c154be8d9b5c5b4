"""What was expected in place of a TLS handshake against what came.

Knows the kinds of answers that an act tells apart. Does not know bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.scenario.match import Mismatch, quote

#: Kinds of answers that refuse: RFC 8446 §6.2 lets a fatal alert go unsaid when the connection is closed.
REFUSALS = ("alert", "none")


def answered(argument: Any, seen: Mapping[str, Any], captures: dict[str, str]) -> Mismatch | None:
    """A ServerHello, a refusal, or one with these fields."""
    got = seen.get("answer") or {"kind": "none"}

    if argument == "refused":
        return None if got["kind"] in REFUSALS else Mismatch("/tls", "a refusal", described(got))

    if isinstance(argument, str):
        return None if got["kind"] == argument else Mismatch("/tls", argument, described(got))

    for name, wanted in argument.items():
        allowed = [str(one) for one in wanted] if isinstance(wanted, list) else [str(wanted)]

        if got.get(name) not in allowed:
            return Mismatch(f"/tls/{name}", " or ".join(quote(one) for one in allowed), described(got))

    return None


def described(got: Mapping[str, Any]) -> str:
    """The answer for people."""
    if got["kind"] == "hello":
        return f"a ServerHello: {got['version']}, {got['suite']}, compression {got['compression']}"

    if got["kind"] == "plaintext":
        return f"words in the clear: {quote(got['text'])}"

    return f"the alert {got['alert']}" if got["kind"] == "alert" else "no word of TLS"


JUDGES = {"tls-answer": answered}
