"""What was expected of TLS and SASL against what an act saw of them.

Knows the fields of a `secured` entry and how a handshake or a login may fail. Does not know levels, alternatives or the
journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.scenario.match import Mismatch, match_element, match_fields, match_text, plain, quote, texts_within

Seen = Mapping[str, Any]

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
SUCCESS = f"<success xmlns='{SASL}'>...</success>"


def describe_tls(seen: Seen) -> str:
    """What an act saw of TLS, for people."""
    if "failed" in seen:
        return f"TLS failed: {seen['failed']}"

    shown = seen.get("secured") or {}
    certificate = shown.get("certificate") or {}
    names = ", ".join(certificate.get("names") or ()) or "nobody"

    return f"{shown.get('version')} with {f'a certificate for {names}' if certificate else 'no certificate'}"


def secured(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """TLS is there and the stream goes on over it; or, where the step says `refused`, it does not."""
    wanted = argument if isinstance(argument, Mapping) else {}
    refused = wanted.get("refused")
    goes_on = "secured" in seen and (_stops_there(wanted) or bool(seen.get("header")))

    if refused is None or refused is False:
        if goes_on:
            return None

        return Mismatch("/tls", "a stream over TLS", _what_came(seen))

    if goes_on:
        return Mismatch("/tls", "TLS to be refused", _what_came(seen))

    return _ended(refused, seen, captures) if isinstance(refused, Mapping) else None


def shown(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """What the handshake showed, field by field."""
    if "secured" not in seen:
        return Mismatch("/tls", "TLS", _what_came(seen))

    wanted, got = dict(argument), seen["secured"]
    certificate = got.get("certificate")
    got = {**got, **{key: (certificate or {}).get(key) for key in OF_CERTIFICATES}}
    names = wanted.pop("names", None)

    if "certificate" in wanted and bool(wanted.pop("certificate")) != (certificate is not None):
        return Mismatch("/tls/certificate", "one" if certificate is None else "none", describe_tls(seen))

    for name in [names] if isinstance(names, str) else names or ():
        if not any(match_text(str(name), one, captures) for one in (certificate or {}).get("names") or ()):
            return Mismatch("/tls/certificate/names", quote(name), describe_tls(seen))

    if "resumed" in wanted and bool(wanted.pop("resumed")) != bool(got.get("resumed")):
        return Mismatch("/tls/resumed", plain(not got.get("resumed")), plain(bool(got.get("resumed"))))

    for key, value in wanted.items():
        several = value if isinstance(value, list) else [value]
        found = [match_fields({key: one}, got, captures, "/tls") for one in several]

        if all(found):
            return Mismatch(f"/tls/{key}", " or ".join(map(_named, several)), _named(got.get(key)))

    return None


def external(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """SASL has succeeded; or, where the step says `refused`, it has failed, with that condition if one is named."""
    refused = argument.get("refused") if isinstance(argument, Mapping) else None

    if "xml" not in seen:
        return Mismatch("/sasl", "an answer to <auth/>", _what_came(seen))

    if refused is None or refused is False:
        return match_element(SUCCESS, str(seen["xml"]), captures)

    conditions = [""] if refused is True else refused if isinstance(refused, list) else [refused]
    inside = [f"<{condition}/>" if condition else "" for condition in conditions]
    found = [match_element(f"<failure xmlns='{SASL}'>{one}...</failure>", str(seen["xml"]), captures) for one in inside]

    return found[0] if all(found) else None


def mechanisms(wanted: Sequence[str], features: str) -> Mismatch | None:
    """Whether just these mechanisms of SASL are offered, in any order."""
    offered = texts_within(features, f"{{{SASL}}}mechanism")

    if sorted(offered) == sorted(wanted):
        return None

    return Mismatch("/features/mechanisms", _listed(wanted), _listed(offered))


def restarted(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """The peer has sent the header of a new stream."""
    return None if seen.get("header") else Mismatch("/header", "the header of a new stream", _what_came(seen))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "no mechanism"


def _named(value: Any) -> str:
    return "nothing" if value is None else quote(value)


def _stops_there(wanted: Seen) -> bool:
    """Whether the step is over with the handshake: no header was to come."""
    return wanted.get("restart") is False


def _ended(wanted: Mapping[str, Any], seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """How a stream ended on which TLS was refused: condition (null, as RFC 6120 §5.4.3.2 has it: none), closing-tag."""
    ended = seen.get("ended") or {}
    fields = {"condition": ended.get("condition"), "closing-tag": bool(ended.get("closing_tag"))}

    return match_fields(wanted, fields, captures, "/stream")


def _what_came(seen: Seen) -> str:
    if "xml" in seen:
        return str(seen["xml"])

    ended = seen.get("ended")

    if "failed" in seen or ("secured" in seen and not ended):
        return describe_tls(seen)

    condition = (ended or {}).get("condition")
    end = f"the end of the stream {f'with {condition}' if condition else 'without a stream error'}"

    return (f"{describe_tls(seen)}, then {end}" if "secured" in seen else end) if ended else "nothing"


#: fields of a certificate that a step may name beside those of the handshake
OF_CERTIFICATES = ("trusted", "authority", "digest", "subject")

JUDGES = {"secured": secured, "shown": shown, "external": external, "restarted": restarted}
