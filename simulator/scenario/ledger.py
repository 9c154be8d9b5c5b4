"""The ledger of one system: failures that are known, each with its reason, section and link.

Knows reports/ledgers/<system>.yaml. Does not know verdicts: `verdict.settlement` holds them against it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from simulator.document import Document, read_document


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One expected failure."""

    scenario: str
    """An id, or a glob over ids."""
    reason: str
    """What the system does instead, and why that is known."""
    section: str
    """The rule that it breaks, such as ``XEP-0220 §2.2.1``."""
    link: str
    """Its source, or the report of the bug."""
    outcome: Literal["FAIL", "WARN"] = "FAIL"
    match: str = ""
    """Text that the verdict's reason must contain, so that another failure is not taken for the known one."""
    requirement: str = ""
    sometimes: str = ""
    """On what it hangs beside the system, such as the version of a library: then its absence is no news."""
    line: int = 0
    """Where it stands; set by `read_ledger`."""


class _Written(LedgerEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry as it stands in the file: `scenarios` are several with one cause, each an entry by itself."""

    scenario: str = ""
    scenarios: tuple[str, ...] = ()


def read_ledger(path: Path) -> list[LedgerEntry]:
    """Read a ledger; a file that does not exist is an empty one. Raises DocumentError at the exact place."""
    return parse_ledger(read_document(path)) if path.exists() else []


def parse_ledger(document: Document) -> list[LedgerEntry]:
    """Make entries of a document that is a list of mappings; each needs scenario(s), reason, section and link."""
    if document.data is None:
        return []

    written = document.convert(list[_Written])

    for number, entry in enumerate(written):
        for name in ("reason", "section", "link"):
            if not getattr(entry, name).strip():
                raise document.error((number, name), f"`{name}` is empty", "an expected failure is explained")

        if bool(entry.scenario.strip()) == bool(entry.scenarios) or not all(map(str.strip, entry.scenarios)):
            raise document.error((number,), "of what scenario?", "`scenario` is one, or `scenarios` a list of them")

    return [
        _entry(entry, scenario, document.positions.get((number,), (1, 1))[0])
        for number, entry in enumerate(written)
        for scenario in entry.scenarios or (entry.scenario,)
    ]


def _entry(written: _Written, scenario: str, line: int) -> LedgerEntry:
    fields = {name: getattr(written, name) for name in LedgerEntry.__struct_fields__}

    return LedgerEntry(**{**fields, "scenario": scenario, "line": line})
