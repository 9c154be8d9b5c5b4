"""Whether a negotiation came to what it must come to: by what its act reports, and by the journal, which knows better.

Knows fields of outcomes, and entries of the kinds authenticated and secured. Does not know what must come of which
negotiation: that is in the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulator.journal import Entry
from simulator.scenario.encounter import AUTHENTICATED, REFUSED, Direction, Means
from simulator.scenario.foreseen import in_words
from simulator.scenario.match import Mismatch
from simulator.scenario.negotiation_table import Method

Seen = Mapping[str, Any]

#: RFC 6120 §4.9.3.12 and §4.9.3.14: what a stanza may be answered with on a stream that nobody has authenticated; or
#: the stream was just being closed, as XEP-0178 §3 lets it be after a failure.
ANSWERS_TO_A_STANZA = frozenset({"not-authorized", "policy-violation", Means.END.value})


def sort_of_seen(seen: Seen) -> str:
    """Whether the act reports a stream that was authenticated or one that was refused; empty: neither."""
    return AUTHENTICATED if "method" in seen else REFUSED if "refused" in seen else ""


def describe_negotiation(seen: Seen) -> str:
    """What came of it, for people."""
    if seen.get("connected") is False:
        return f"no connection ({seen.get('why')})"

    return in_words(_fields(seen)) or "nothing"


def negotiation(argument: Any, seen: Seen, captures: dict[str, str]) -> Mismatch | None:
    """The method, or the place and manner of the refusal, as far as the step names them."""
    fields = _fields(seen)
    wanted = {key: argument[key] for key in ("outcome", "at", "by", "condition") if key in argument}

    if any(fields.get(key) != value for key, value in wanted.items()):
        return Mismatch("/negotiation", in_words(argument), describe_negotiation(seen))

    then = (seen.get("refused") or {}).get("then")

    if then is not None and then not in ANSWERS_TO_A_STANZA:
        return Mismatch("/negotiation/stanza", " or ".join(sorted(ANSWERS_TO_A_STANZA)), str(then))

    return None


def contradictions(
    entries: Sequence[Entry], partner: str, systems: Sequence[str], argument: Mapping[str, Any], seen: Seen
) -> Iterator[str]:
    """What the journal says against the report of a step; `partner` and `systems` are the real domains of both sides.

    The whole run counts: a stream that is authenticated later, in the same direction, must be so by the same method,
    and one in the other direction by one of those that the argument names as ``back``.
    """
    inbound = argument["direction"] == Direction.INBOUND
    allowed: dict[bool, list[str] | None] = {
        inbound: [seen["method"]] if "method" in seen else [],
        not inbound: argument.get("back"),
    }
    told = describe_negotiation(seen)
    found = False

    for number, entry in enumerate(entries):
        if entry.kind != "authenticated" or entry.actor != partner:
            continue

        # The first of the pair is the side that proved itself: the one that dialled.
        towards_system = (entry.data.get("pair") or [""])[0] not in systems
        method, right = entry.data.get("method"), allowed[towards_system]
        found = found or towards_system == inbound

        if right is not None and method not in right:
            wanted = told if towards_system == inbound else f"{' or '.join(right) or 'nothing'} in this direction"
            yield f"the journal shows {method} on the stream {entry.stream}, not {wanted}"
        elif _is_secured(entries[:number], entry) == (method == Method.TCP_DIALBACK):
            had = "after TLS" if method == Method.TCP_DIALBACK else "without TLS"
            yield f"the journal shows {method} on the stream {entry.stream} {had}"

    if "method" in seen and not found:
        yield f"the journal shows no stream that was authenticated, not {told}"


def _fields(seen: Seen) -> dict[str, Any]:
    refused = seen.get("refused")

    return {"outcome": REFUSED, **refused} if refused is not None else {"outcome": seen.get("method")}


def _is_secured(before: Sequence[Entry], proof: Entry) -> bool:
    return any(
        entry.kind == "secured" and (entry.actor, entry.stream) == (proof.actor, proof.stream) for entry in before
    )
