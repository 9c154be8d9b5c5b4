"""The misbehaviours that a scenario may add to a partner: values, each with a sentence.

Knows what each name changes of `behaviour`. Does not know how a partner does it: that is `partner.automation` and its
neighbours. Those of TLS and SASL are in `trust_quirks`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from simulator.world.behaviour import Behaviour, Quirk
from simulator.world.trust_quirks import TRUST_QUIRKS

__all__ = ["QUIRKS", "Behaviour", "Quirk", "QuirkError", "behave", "read_quirk"]


class QuirkError(Exception):
    """A quirk is unknown, or its argument is missing or too many: says what there is."""


_HOST = "[the host it is about]"
_CONDITION = "a stanza error condition, as in XEP-0220 §2.5"

QUIRKS: dict[str, Quirk] = {
    # The door
    "refuses-connections": Quirk("nobody listens: TCP is refused", {"door": "refuses", "door_host": "{}"}, _HOST),
    "resets-connections": Quirk("TCP connections are reset as soon as they are up", {"door": "resets"}),
    "closes-connections": Quirk("TCP connections are closed as soon as they are up", {"door": "closes"}),
    "blackhole": Quirk("accepts TCP and never says a word", {"door": "silent", "door_host": "{}"}, _HOST),
    "speaks-another-protocol": Quirk(
        "answers like a web server",
        {"door": "says", "door_host": "{}", "banner": "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"},
        _HOST,
    ),
    "says": Quirk("sends these bytes instead of a header", {"door": "says", "banner": "{}"}, "the text"),
    # The stream header
    "no-version": Quirk("sends headers without a version, hence no features", {"version": None}),
    "version": Quirk("announces this version in its headers", {"version": "{}"}, "the version"),
    "no-to": Quirk("sends headers without 'to'", {"sends_to": False}),
    "no-from": Quirk("sends headers without 'from'", {"sends_from": False}),
    "no-stream-id": Quirk("gives streams that reach it no id", {"sends_id": False}),
    "same-stream-id": Quirk("gives every stream the same id", {"stream_id": "{}"}, "the id"),
    "no-dialback-namespace": Quirk("does not declare the dialback namespace", {"declares_dialback": False}),
    "other-prefix": Quirk("binds the dialback namespace to another prefix than db", {"dialback_prefix": "x"}),
    "prefix-free-header": Quirk("binds the stream namespace to no prefix", {"prefix_free": True}),
    "client-namespace": Quirk("declares jabber:client as its content", {"content_namespace": "jabber:client"}),
    "wrong-stream-namespace": Quirk("opens streams in a wrong namespace", {"stream_namespace": "urn:example:streams"}),
    "host-unknown": Quirk("answers every header with host-unknown", {"after_header": "error host-unknown"}),
    "stream-error": Quirk(
        "answers every header with this stream error", {"after_header": "error {}"}, "a stream error condition"
    ),
    "resets-after-header": Quirk("resets the connection after its header", {"after_header": "reset"}),
    "closes-after-header": Quirk("closes the stream after its header", {"after_header": "close"}),
    "half-a-header": Quirk("resets the connection in the middle of its header", {"after_header": "half"}),
    # Features
    "no-features": Quirk("announces 1.0 but never sends its features", {"features": "none"}),
    "empty-features": Quirk("offers no feature at all", {"features": "empty"}),
    "no-dialback-errors": Quirk("offers dialback without <errors/>", {"features": "dialback"}),
    "features": Quirk("offers these features", {"features": "{}"}, "XML: what stands inside <stream:features/>"),
    # The receiving server
    "accepts-every-domain": Quirk("answers every key with valid, unseen", {"result": "valid"}),
    "answers-invalid": Quirk("answers every key with invalid", {"result": "invalid"}),
    "answers-error": Quirk("answers every key with this error", {"result": "error {}"}, _CONDITION),
    "answers-garbage-type": Quirk(
        "answers every key with a type that does not exist", {"result": "type {}"}, "[the type; VALID when left out]"
    ),
    "never-answers": Quirk("answers no key", {"result": "never"}),
    "closes-on-result": Quirk("closes the stream when it gets a key", {"result": "close"}),
    "resets-on-result": Quirk("resets the connection when it gets a key", {"result": "reset"}),
    "answers-for-wrong-pair": Quirk(
        "says valid for another domain than it was asked about", {"result": "valid", "result_addresses": "other-from"}
    ),
    "answers-for-wrong-sender": Quirk(
        "says valid to another domain than the one that asked", {"result": "valid", "result_addresses": "other-to"}
    ),
    "answers-swapped": Quirk(
        "says valid with 'from' and 'to' exchanged", {"result": "valid", "result_addresses": "swapped"}
    ),
    "unsolicited-valid": Quirk(
        "says valid before it is asked, then never answers", {"unsolicited": True, "result": "never"}
    ),
    "drops-after-result": Quirk("closes the stream after its answer", {"after_result": "close"}),
    "resets-after-result": Quirk("resets the connection after its answer", {"after_result": "reset"}),
    # The authoritative server
    "denies-every-key": Quirk("answers every verification with invalid", {"verify": "invalid"}),
    "accepts-every-key": Quirk("answers every verification with valid", {"verify": "valid"}),
    "never-verifies": Quirk("answers no verification", {"verify": "never"}),
    "closes-on-verify": Quirk("closes the stream when asked to verify", {"verify": "close"}),
    "resets-on-verify": Quirk("resets the connection when asked to verify", {"verify": "reset"}),
    "fails-to-verify": Quirk("answers every verification with this error", {"verify": "error {}"}, _CONDITION),
    "verifies-with-garbage-type": Quirk(
        "answers every verification with a type that does not exist",
        {"verify": "type {}"},
        "[the type; VALID when left out]",
    ),
    "verifies-with-wrong-id": Quirk(
        "says valid about another stream id", {"verify": "valid", "verify_addresses": "other-id"}
    ),
    "verifies-with-wrong-from": Quirk(
        "says valid in the name of another domain", {"verify": "valid", "verify_addresses": "other-from"}
    ),
    "verifies-with-wrong-to": Quirk(
        "says valid to another domain than the one that asked", {"verify": "valid", "verify_addresses": "other-to"}
    ),
    "verifies-swapped": Quirk(
        "says valid without exchanging 'from' and 'to'", {"verify": "valid", "verify_addresses": "swapped"}
    ),
    "changes-its-mind": Quirk("says invalid, then valid", {"verify": "invalid", "verify_twice": "valid"}),
    # The initiating server
    "offers-wrong-keys": Quirk("offers keys that its own server denies", {"key": "wrong"}),
    "vanishes-mid-stanza": Quirk("breaks off in the middle of its first stanza", {"vanishes": True}),
    # Bytes
    "one-byte-segments": Quirk("sends each byte alone", {"segment": 1}),
    "segments": Quirk("sends at most so many bytes in one piece", {"segment": "{}"}, "a number of bytes"),
    "whitespace-between": Quirk("sends a line end before each element", {"whitespace": "\n"}),
    "slow": Quirk("waits before each of its answers", {"delay": "{}"}, "seconds"),
    # The end
    "never-closes": Quirk("never answers </stream:stream>, and keeps the connection", {"closes": False}),
    # TLS and SASL
    **TRUST_QUIRKS,
}

#: What an argument in brackets is when it is left out.
_LEFT_OUT = {"answers-garbage-type": "VALID", "verifies-with-garbage-type": "VALID"}


def read_quirk(given: Any) -> tuple[str, str]:
    """Read ``no-to``, ``answers-error: item-not-found`` or a mapping of one: (name, argument). Raises QuirkError."""
    if isinstance(given, Mapping) and len(given) == 1:
        name, argument = next((str(key), str(value)) for key, value in given.items())
    else:
        name, _, argument = str(given).partition(":")

    name, argument = name.strip(), argument.strip()
    quirk = QUIRKS.get(name)

    if quirk is None:
        near = difflib.get_close_matches(name, QUIRKS, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else "`s2sim steps` names them"
        raise QuirkError(f"no quirk is called {name!r}: {hint}")

    if argument and not quirk.argument:
        raise QuirkError(f"the quirk {name} takes no argument, but {argument!r} stands there")

    if quirk.argument and not argument and not quirk.argument.startswith("["):
        raise QuirkError(f"the quirk {name} needs an argument: {quirk.argument}")

    return name, argument or _LEFT_OUT.get(name, "")


def behave(behaviour: Behaviour, quirks: Iterable[Any]) -> Behaviour:
    """The behaviour with the quirks added, later ones over earlier ones; raises QuirkError."""
    for given in quirks:
        name, argument = read_quirk(given)
        changes = {key: _fill(value, argument) for key, value in QUIRKS[name].changes.items()}

        try:
            numbers = {"segment": int, "delay": float}
            changes = {key: numbers[key](value) if key in numbers else value for key, value in changes.items()}
        except ValueError:
            raise QuirkError(f"the quirk {name} needs {QUIRKS[name].argument}, not {argument!r}") from None

        behaviour = replace(behaviour, **changes)

    return behaviour


def _fill(value: Any, argument: str) -> Any:
    return value.replace("{}", argument) if isinstance(value, str) else value
