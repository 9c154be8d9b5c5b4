"""The exchange of one run as a ladder: partners to the left, the system in the middle, users to the right.

Knows the kinds of journal entries. Does not know what was right: it shows what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from simulator.journal import Entry
from simulator.report.escape import harmless, shortened

#: characters in a line: as many as that, and never fewer than this
WIDTH, NARROWEST = 132, 80
#: how many rungs are drawn where nobody asks for more
LAST = 24
Side = Literal["left", "right", "across"]


@dataclass(frozen=True)
class Rung:
    """One line: who, what, on which side, and whether it went to the system; `at` in seconds, as the journal has it."""

    at: float
    side: Side
    text: str
    towards_system: bool | None = None


def rungs(entries: Sequence[Entry]) -> list[Rung]:
    """Everything of a journal that an outsider can see, in order, up to the teardown."""
    ends = [number for number, entry in enumerate(entries) if entry.kind == "step" and "text" not in entry.data]
    entries = entries[: ends[0]] if ends else entries
    several = len({entry.stream for entry in entries if entry.stream and entry.kind in ("sent", "received")}) > 1

    return [rung for entry in entries if (rung := _rung(entry, several)) is not None]


def draw(entries: Sequence[Entry], last: int = LAST, width: int = WIDTH) -> list[str]:
    """The last rungs as lines of text of at most `width` characters, with a heading."""
    wanted = rungs(entries)
    left, right = _columns(width)
    lines = [f"{'':9}{'partners':<{left}} system {'users':>{right}}"]

    if len(wanted) > last:
        lines.append(f"{'':9}… {len(wanted) - last} earlier …")

    return lines + [line(rung, width) for rung in wanted[-last:]]


def line(rung: Rung, width: int = WIDTH) -> str:
    """One rung as a line of text."""
    left, right = _columns(width)
    at = f"{rung.at:8.3f} "

    if rung.side == "across":
        return f"{at}{shortened(f'── {rung.text} ', left + right + 8):─<{left + right + 8}}"

    if rung.side == "left":
        text = shortened(rung.text, left - 5)
        drawn = {
            True: f"─ {f'{text} ':─<{left - 3}}▶",
            False: f"◀ {f'{text} ':─<{left - 3}}─",
            None: f"  {text:<{left - 2}}",
        }
        return f"{at}{drawn[rung.towards_system]}│      │"

    text = shortened(rung.text, right - 5)
    drawn = {True: f"◀ {f'{text} ':─<{right - 2}}", False: f"─ {f'{text} ':─<{right - 3}}▶", None: f"  {text}"}

    return f"{at}{'':{left}}│      │{drawn[rung.towards_system]}"


def _columns(width: int) -> tuple[int, int]:
    """How wide the sides of partners and of users are: what is left beside the time and the system."""
    room = max(width, NARROWEST) - 17

    return room * 5 // 8, room - room * 5 // 8


def _rung(entry: Entry, several: bool) -> Rung | None:
    drawer = _DRAWERS.get(entry.kind)

    if drawer is None:
        return None

    side, towards, text = drawer(entry.data, entry.actor)

    # Who has an @ is a person: what users say stands on their side.
    if side == "left" and "@" in entry.actor:
        side = "right"

    if several and entry.stream and "@" not in entry.actor:
        text = f"[{entry.stream.rpartition('/')[2] or 'stream'}] {text}"

    return Rung(entry.at, side, harmless(text), towards)


#: side, whether it went to the system, and the text
Drawn = tuple[Side, bool | None, str]


def _bytes(data: dict[str, Any]) -> str:
    return str(data["text"]) if "text" in data else f"(base64) {data.get('base64', '')}"


def _ended(data: dict[str, Any], actor: str) -> Drawn:
    how = [str(data[key]) for key in ("condition", "tls", "tcp") if data.get(key)]
    by = {"us": "by the partner", "them": "by the system"}.get(str(data.get("by")), "")

    return "left", None, f"{actor}: the stream is over {by}: {', '.join(how) or 'without a word'}"


def _secured(data: dict[str, Any], actor: str) -> Drawn:
    shown = data.get("certificate") or {}
    whose = ", ".join(map(str, shown.get("names") or ())) or shown.get("subject") or "nobody"
    certificate = f"the system's certificate: {whose}" if shown else "no certificate of the system"
    named = "".join(f", {key} {data[key]}" for key in ("sni", "alpn") if data.get(key))

    return "left", data.get("by") == "us", f"{actor}: {data.get('version')} {data.get('cipher')}{named}; {certificate}"


def _authenticated(data: dict[str, Any], actor: str) -> Drawn:
    return "left", None, f"{actor}: {' to '.join(map(str, data.get('pair') or ()))} by {data.get('method')}"


def _delivered(data: dict[str, Any], actor: str) -> Drawn:
    rest = {key: value for key, value in data.items() if key not in ("what", "xml", "to") and value not in (None, "")}

    return "right", False, f"{actor}: {data.get('what')} {_fields(rest)}"


def _query(data: dict[str, Any], actor: str) -> Drawn:
    answers = ", ".join(map(str, data.get("answers", ()))) or data.get("rcode") or "silence"

    return "left", False, f"DNS: {data.get('name')} {data.get('type')}? {answers}"


def _step(data: dict[str, Any], actor: str) -> Drawn:
    return "across", None, f"{data.get('text') or data.get('part')}: {data.get('outcome')}"


def _fields(fields: dict[str, Any]) -> str:
    return " ".join(f"{key}={value!r}" for key, value in fields.items())


#: kind of entry -> what is drawn of its data, and of whom it tells; kinds that are not here are not drawn
_DRAWERS: dict[str, Callable[[dict[str, Any], str], Drawn]] = {
    "opened": lambda data, actor: (
        "left",
        data.get("by") == "us",
        f"{actor}: TCP {data.get('local')} {'to' if data.get('by') == 'us' else 'from'} {data.get('remote')}",
    ),
    "sent": lambda data, actor: ("left", True, _bytes(data)),
    "received": lambda data, actor: ("left", False, _bytes(data)),
    "secured": _secured,
    "authenticated": _authenticated,
    "ended": _ended,
    "query": _query,
    "fetched": lambda data, actor: ("left", False, f"{actor}: {data.get('list')} list for {data.get('domain')}?"),
    "delivered": _delivered,
    "barrier": lambda data, actor: ("across", None, f"barrier for {actor}: {_fields(data)}"),
    "fault": lambda data, actor: ("across", None, f"fault: {_fields(data)}"),
    "problem": lambda data, actor: ("across", None, f"PROBLEM of {actor}: {data.get('text')}"),
    "step": _step,
}
