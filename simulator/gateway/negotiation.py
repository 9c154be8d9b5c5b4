"""Which ways to authenticate a stream follow from a partner's TLS, SASL and dialback settings.

Knows the 18 rows of the documented negotiation table, and nothing else: no partner, no stream, no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Negotiation(StrEnum):
    """What is asked of TLS, or of SASL, on the streams of a partner."""

    REQUIRED = "Required"
    OPTIONAL = "Optional"
    NOT_SUPPORTED = "NotSupported"


class Method(StrEnum):
    """A way in which one side of a stream proves its domain to the other."""

    SASL_OVER_TLS = "SASL over TLS"
    TLS_DIALBACK = "TLS dialback"
    TCP_DIALBACK = "TCP dialback"


class Note(StrEnum):
    """What the table remarks on a row; `NOTES` has the wording."""

    DIALBACK_INOPERATIVE = "dialback-inoperative"
    SASL_NEEDS_TLS = "sasl-needs-tls"
    CANNOT_SUCCEED = "cannot-succeed"
    MUST_BE_ENABLED = "must-be-enabled"
    INFORMATIONAL = "informational"
    NONE = "none"


NOTES: dict[Note, str] = {
    Note.DIALBACK_INOPERATIVE: "dialback does not operate when both SASL and TLS are required",
    Note.SASL_NEEDS_TLS: "SASL needs TLS: unless TLS is required, the negotiation of a session may fail",
    Note.CANNOT_SUCCEED: (
        "SASL needs TLS, which is not supported, so SASL cannot succeed; TCP dialback is off, so it cannot be used"
    ),
    Note.MUST_BE_ENABLED: "SASL or dialback must be enabled",
    Note.INFORMATIONAL: "dialback is the only way left to authenticate",
    Note.NONE: "",
}


class NotValid(ValueError):  # noqa: N818 - the documentation's own words for such a row
    """These settings leave no way to authenticate; the text is the one documented for the row."""


@dataclass(frozen=True)
class Row:
    """The outcome of one combination; no methods means that the combination is not valid."""

    methods: frozenset[Method]
    note: Note


_R, _O, _N = Negotiation.REQUIRED, Negotiation.OPTIONAL, Negotiation.NOT_SUPPORTED
_SASL, _TLS_DIALBACK, _TCP_DIALBACK = Method.SASL_OVER_TLS, Method.TLS_DIALBACK, Method.TCP_DIALBACK


def _row(*methods: Method, note: Note = Note.NONE) -> Row:
    return Row(frozenset(methods), note)


# "Negotiation settings for XMPP federated partners" (Lync Server 2013), in the order of that page. Where its
# short table of common methods adds TCP dialback to Required/Optional/True, the complete table is followed: TLS
# that is required excludes a plain stream.
# COMPAT: the Control Panel refuses to save SASL without TLS; the cmdlet stores such a partner, and so do we.
#
#  TLS SASL dialback
TABLE: dict[tuple[Negotiation, Negotiation, bool], Row] = {
    (_R, _R, True): _row(_SASL, note=Note.DIALBACK_INOPERATIVE),
    (_R, _R, False): _row(_SASL),
    (_O, _R, True): _row(_SASL, _TLS_DIALBACK, _TCP_DIALBACK, note=Note.SASL_NEEDS_TLS),
    (_O, _R, False): _row(_SASL, note=Note.SASL_NEEDS_TLS),
    (_N, _R, True): _row(_TCP_DIALBACK, note=Note.SASL_NEEDS_TLS),
    (_N, _R, False): _row(note=Note.CANNOT_SUCCEED),
    (_R, _O, True): _row(_SASL, _TLS_DIALBACK),
    (_R, _O, False): _row(_SASL),
    (_O, _O, True): _row(_SASL, _TLS_DIALBACK, _TCP_DIALBACK, note=Note.SASL_NEEDS_TLS),
    (_O, _O, False): _row(_SASL, note=Note.SASL_NEEDS_TLS),
    (_N, _O, True): _row(_TCP_DIALBACK, note=Note.SASL_NEEDS_TLS),
    (_N, _O, False): _row(note=Note.SASL_NEEDS_TLS),
    (_R, _N, True): _row(_TLS_DIALBACK, note=Note.INFORMATIONAL),
    (_R, _N, False): _row(note=Note.MUST_BE_ENABLED),
    (_O, _N, True): _row(_TLS_DIALBACK, _TCP_DIALBACK, note=Note.INFORMATIONAL),
    (_O, _N, False): _row(note=Note.MUST_BE_ENABLED),
    (_N, _N, True): _row(_TCP_DIALBACK, note=Note.INFORMATIONAL),
    (_N, _N, False): _row(note=Note.MUST_BE_ENABLED),
}


def methods(tls: Negotiation, sasl: Negotiation, dialback: bool) -> frozenset[Method]:
    """The ways to authenticate that these settings allow; raises NotValid when there is none."""
    row = TABLE[tls, sasl, dialback]

    if not row.methods:
        raise NotValid(NOTES[row.note])

    return row.methods


def warning(tls: Negotiation, sasl: Negotiation, dialback: bool) -> str | None:
    """What to warn an administrator of who stores these settings; None where the table has no warning."""
    note = TABLE[tls, sasl, dialback].note

    return None if note in (Note.NONE, Note.INFORMATIONAL) else NOTES[note]
