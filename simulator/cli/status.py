"""``s2sim status``: what a running gateway says about itself, as tables or as JSON.

Knows columns. Does not know what is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from simulator.cli.lookup import WrongUse

#: column of the table of streams -> its heading
STREAM_COLUMNS = {
    "direction": "DIRECTION",
    "pairs": "PAIRS",
    "method": "METHOD",
    "tls": "TLS",
    "remote": "REMOTE",
    "age": "AGE",
    "idle": "IDLE",
    "stanzas_in": "IN",
    "stanzas_out": "OUT",
}
#: direction of a stream -> which way its stanzas go between our domain and the partner's
ARROWS = {"inbound": "←", "outbound": "→"}
LINK_COLUMNS = {
    "edge": "EDGE",
    "up": "UP",
    "route": "ROUTE",
    "local": "LOCAL",
    "remote": "REMOTE",
    "age": "AGE",
    "stanzas_in": "IN",
    "stanzas_out": "OUT",
    "unsettled": "UNSETTLED",
}


def status(
    control: Annotated[Path, typer.Option("--control", metavar="SOCKET", help="The gateway's control socket.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Show the services, links, streams and counters of a running gateway."""
    from simulator.gateway.control_client import ControlClient, NoGateway
    from simulator.report.escape import harmless

    try:
        with ControlClient(control) as client:
            found = client.status()
    except NoGateway as error:
        raise WrongUse(str(error)) from None

    for line in [json.dumps(found, indent=2, ensure_ascii=False)] if as_json else lines_of(found):
        print(line if as_json or line.isprintable() else harmless(line))

    return 0


def lines_of(found: Mapping[str, Any]) -> Iterator[str]:
    """The status as tables."""
    services = found.get("services", {}).items()
    yield from _titled("SERVICES", [[name, computer, state] for name, on in services for computer, state in on.items()])
    yield from _titled("LISTENING", [[name, str(where)] for name, where in found.get("listening", {}).items()])
    yield from _titled("LINKS", _table(LINK_COLUMNS, found.get("links", ())))
    yield from _titled("STREAMS", _table(STREAM_COLUMNS, found.get("streams", ())))

    counters = []

    for object_, group in found.get("counters", {}).items():
        counters += [[object_, name, _shown(value["total"]), f"{value['rate']:g}/s"] for name, value in group.items()]

    yield from _titled("COUNTERS", counters)


def _titled(title: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield title

    if not rows:
        yield "  none"
    else:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

        for row in rows:
            yield "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()

    yield ""


def _table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """Rows under headings; nothing at all without rows."""
    found = [[_cell(name, row.get(name), str(row.get("direction", ""))) for name in columns] for row in rows]

    return [list(columns.values()), *found] if found else []


def _cell(name: str, value: Any, direction: str) -> str:
    if name in ("age", "idle") and isinstance(value, int | float):
        return f"{value:.0f} s"

    if name == "pairs" and isinstance(value, list):
        return ", ".join(f"{pair['local']} {ARROWS[direction]} {pair['remote']}" for pair in value) or "-"

    return _shown(value) or "-"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))

    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]

    return f"{value:g}" if isinstance(value, float) else str(value)
