"""Expected against seen, one judge per value of `Verb.expects`.

Each takes the argument of the step (with real names) and what the act saw, and returns a mismatch or nothing. Does not
know levels, alternatives or the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulator.scenario.match import Mismatch, match_element, match_fields, match_text, quote
from simulator.verdict.hello import JUDGES as HELLO_JUDGES
from simulator.verdict.hello import described as describe_answer
from simulator.verdict.liveness import JUDGES as LIVENESS_JUDGES
from simulator.verdict.negotiation import describe_negotiation, negotiation
from simulator.verdict.presence import JUDGES as PRESENCE_JUDGES
from simulator.verdict.presence import describe as describe_delivered
from simulator.verdict.presence import state_of
from simulator.verdict.trust import JUDGES as TRUST_JUDGES
from simulator.verdict.trust import SUCCESS, describe_tls, mechanisms

Seen = Mapping[str, Any]
Judge = Callable[[Any, Seen, dict[str, str]], Mismatch | None]

#: The stream error of one who did nothing until the time was up: it is no answer to what was sent (RFC 6120 §4.9.3.4).
_TIME_IS_UP = "connection-timeout"
_VALID = "<db:result type='valid'>...</db:result>"


def describe(seen: Seen) -> str:
    """What an act saw, for people: the bytes where there are any."""
    if "xml" in seen:
        return str(seen["xml"])

    if "method" in seen or "refused" in seen:
        return describe_negotiation(seen)

    if "secured" in seen or "failed" in seen:
        return describe_tls(seen)

    if "answer" in seen:
        return describe_answer(seen["answer"])

    if "delivered" in seen:
        return describe_delivered(seen["delivered"])

    if "ended" in seen:
        return describe_end(seen["ended"])

    if "subscription" in seen:
        return " ".join(filter(None, state_of(seen["subscription"])))

    if "listed" in seen:
        return describe_delivered({"what": "contact", **(seen["listed"] or {"contact": "none"})})

    for key in ("header", "features", "query", "refusal"):
        if seen.get(key):
            return f"{key}: {seen[key]}"

    return "nothing"


def describe_end(ended: Seen) -> str:
    """How a stream ended, for people."""
    condition = f"with {ended['condition']}" if ended.get("condition") else "without a stream error"
    text = f' ("{ended["text"]}")' if ended.get("text") else ""

    return f"the end of the stream {condition}{text}"


def nothing(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """The act itself is the point: where it connects or accepts, the connection must have come up."""
    if seen.get("connected") is False:
        return Mismatch("/connection", "a connection", str(seen.get("why") or "none"))

    return None


def element(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """An XML pattern against the element that arrived."""
    if "xml" not in seen:
        return Mismatch("/stream", str(argument), describe(seen))

    return match_element(str(argument), str(seen["xml"]), captures)


def authenticated(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """The answer to the key, or to <auth/>; and that it went by the method which is wanted."""
    by_sasl = match_element(SUCCESS, str(seen.get("xml", "")), captures) is None
    found = nothing(None, seen, captures) or (None if by_sasl else element(_VALID, seen, captures))
    wanted = argument.get("method") if isinstance(argument, Mapping) else None

    if found or wanted is None or wanted == seen.get("authenticated_by"):
        return found

    return Mismatch("/method", quote(wanted), quote(seen.get("authenticated_by") or ""))


def header(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """Attributes of the header."""
    if not seen.get("header"):
        return Mismatch("/header", "a stream header", describe(seen))

    return match_fields(argument, seen["header"], captures, "/header")


def features(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """The whole of the features, some of them, none at all, or the mechanisms of SASL among them."""
    arrived = seen.get("features")

    if argument == "none":
        return Mismatch("/features", "no features", str(arrived)) if arrived else None

    if not arrived:
        return Mismatch("/features", "stream features", describe(seen))

    if isinstance(argument, str):
        return match_element(argument, arrived, captures)

    if isinstance(argument, Mapping):
        return mechanisms(argument["mechanisms"], str(arrived))

    for pattern in argument:
        found = match_element(f"<stream:features>{pattern}...</stream:features>", arrived, captures)

        if found:
            return found

    return None


def end(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """How the stream ended. How TCP did is not compared here: that is a note.

    Where no condition is asked for, any will do but the one that comes by waiting: what must be answered by an end
    would otherwise be met by whoever drops it in silence.
    """
    ended = seen.get("ended")

    if not ended:
        return Mismatch("/stream", "the end of the stream", describe(seen))

    wanted = argument if isinstance(argument, Mapping) else {} if argument is None else {"condition": argument}

    if "condition" in wanted:
        found = match_fields({"condition": wanted["condition"]}, ended, captures, "/stream/error")

        if found:
            return Mismatch(found.path, found.expected, found.got if ended.get("condition") else describe_end(ended))
    elif ended.get("condition") == _TIME_IS_UP:
        return Mismatch("/stream/error", "an end because of what was sent", quote(_TIME_IS_UP))

    if "text" in wanted and str(wanted["text"]) not in str(ended.get("text") or ""):
        return Mismatch("/stream/error/text", quote(wanted["text"]), quote(ended.get("text") or ""))

    if "closing-tag" in wanted and bool(wanted["closing-tag"]) != bool(ended.get("closing_tag")):
        words = {True: "a closing tag", False: "no closing tag"}
        return Mismatch("/stream", words[bool(wanted["closing-tag"])], words[bool(ended.get("closing_tag"))])

    if "close-notify" in wanted and bool(wanted["close-notify"]) != bool(ended.get("close_notify")):
        words = {True: "close_notify", False: "no close_notify"}
        return Mismatch("/tls", words[bool(wanted["close-notify"])], words[bool(ended.get("close_notify"))])

    return None


def tcp_note(argument: Any, seen: Seen) -> str:
    """The note about a TCP connection that ended otherwise than the step says; empty: none."""
    wanted = argument.get("tcp") if isinstance(argument, Mapping) else None
    got = (seen.get("ended") or {}).get("tcp")

    return f"the connection ended with {got}, not {wanted}" if wanted and got and wanted != got else ""


def connected(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """The stream is still of use."""
    return Mismatch("/stream", "the stream to stay", describe_end(seen["ended"])) if seen.get("ended") else None


def message(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """Fields of the message, or its body alone."""
    delivered = seen.get("delivered") or {}

    if delivered.get("what") != "message":
        return Mismatch("/message", "a message", describe(seen))

    fields = argument if isinstance(argument, Mapping) else {"body": argument}

    return match_fields(fields, delivered, captures, "/message")


def refusal(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """Some condition that was wanted is among those that the answer stands for."""
    delivered = seen.get("delivered") or {}

    if delivered.get("what") != "refusal":
        return Mismatch("/refusal", "a refusal", describe(seen))

    fields = dict(argument) if isinstance(argument, Mapping) else {"condition": argument}
    wanted = fields.pop("condition", None)
    wanted = wanted if isinstance(wanted, list) else [] if wanted is None else [wanted]
    got = delivered.get("conditions") or [condition for condition in [delivered.get("condition")] if condition]

    if wanted and not any(match_text(str(one), str(other), captures) for one in wanted for other in got):
        return Mismatch("/refusal/condition", " or ".join(map(str, wanted)), " or ".join(map(str, got)) or "none")

    # [MS-OCER] §2.2.1: a number, and behind it the reason and who gave it.
    number, semicolon, _ = str(delivered.get("diagnostics") or "").partition(";")

    return match_fields(fields, {**delivered, "diagnostics": number if semicolon else None}, captures, "/refusal")


def accepted(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """What was sent was accepted."""
    delivered = seen.get("delivered") or {}

    if delivered.get("what") != "accepted":
        return Mismatch("/answer", "accepted", describe(seen))

    return match_fields(argument, delivered, captures, "/answer") if isinstance(argument, Mapping) else None


def question(argument: Any) -> dict[str, str]:
    """A question to the name server as fields, in one spelling."""
    fields = (
        argument if isinstance(argument, Mapping) else dict(zip(("name", "type"), str(argument).split(), strict=False))
    )

    return {key: str(value).lower().rstrip(".") for key, value in fields.items()}


def asks(argument: Any, query: Seen) -> bool:
    """Whether a question that was asked is the one that a step names."""
    asked = question(query)

    return all(asked.get(key) == value for key, value in question(argument).items())


def query(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """The question that was awaited."""
    asked = seen.get("query")

    if asked and asks(argument, asked):
        return None

    return Mismatch("/query", " ".join(question(argument).values()), describe(seen))


def refused_settings(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """The system did not start, and said why."""
    said = seen.get("refusal")

    if said is None:
        return Mismatch("/settings", "the system to refuse its settings", "it started")

    wanted = " ".join(str(argument or "").split()).lower()

    return (
        None if wanted in " ".join(str(said).split()).lower() else Mismatch("/settings", quote(argument), quote(said))
    )


#: `Verb.expects` -> judge. Those that are proven by the journal alone compare nothing here: see `arrivals`.
JUDGES: dict[str, Judge] = {
    "nothing": nothing,
    "started": nothing,
    "connection": nothing,
    "header": header,
    "features": features,
    "element": element,
    "authenticated": authenticated,
    "end": end,
    "message": message,
    "refusal": refusal,
    "accepted": accepted,
    "quiet": nothing,
    "connected": connected,
    "uncontacted": nothing,
    "query": query,
    "no-query": nothing,
    "negotiation": negotiation,
    **TRUST_JUDGES,
    **HELLO_JUDGES,
    **PRESENCE_JUDGES,
    **LIVENESS_JUDGES,
    "refused-settings": refused_settings,
}
