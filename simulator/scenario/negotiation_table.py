"""What Microsoft documents about the settings of an XMPP partner: 18 rows, each with its methods and its remark.

Knows "Negotiation settings for XMPP federated partners" (Lync Server 2013), row by row as it stands there. Does not
know what a partner is able to do, nor any implementation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Choice(StrEnum):
    """What the administrator says about TLS, or about SASL."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NOT_SUPPORTED = "not-supported"


class Method(StrEnum):
    """How one side of a stream proves its domain to the other."""

    EXTERNAL = "SASL EXTERNAL over TLS"
    TLS_DIALBACK = "dialback over TLS"
    TCP_DIALBACK = "dialback over TCP"


class NotValid(ValueError):  # noqa: N818 - the page's own words for such a row
    """Settings that leave no way to authenticate; the text is the remark of their row."""


@dataclass(frozen=True)
class Settings:
    """One combination of the three settings."""

    tls: Choice
    sasl: Choice
    dialback: bool

    @property
    def capability(self) -> str:
        """What a system declares that can be set so, such as ``settings required/optional/dialback``."""
        return f"settings {self.tls}/{self.sasl}/{'dialback' if self.dialback else 'no-dialback'}"

    @property
    def methods(self) -> frozenset[Method]:
        """The methods that the complete table lists; raises NotValid."""
        row = TABLE[self]

        if not row.methods:
            raise NotValid(row.remark)

        return row.methods


@dataclass(frozen=True)
class Row:
    """One row of the page; one without methods is not valid."""

    number: int
    methods: frozenset[Method]
    remark: str


_R, _O, _N = Choice.REQUIRED, Choice.OPTIONAL, Choice.NOT_SUPPORTED
_SASL, _TLS, _TCP = Method.EXTERNAL, Method.TLS_DIALBACK, Method.TCP_DIALBACK

NOTHING = ""
INOPERATIVE = "dialback does not operate when both SASL and TLS are required"
NEEDS_TLS = "SASL needs TLS"
CANNOT_SUCCEED = "TCP dialback is off"
MUST_BE_ENABLED = "SASL or dialback must be enabled"
ONLY_DIALBACK = "dialback is the only way left"

#: The complete table in the order of the page: number, TLS, SASL, dialback, methods, and what the remark comes down to.
_PAGE: tuple[tuple[int, Choice, Choice, bool, set[Method], str], ...] = (
    (1, _R, _R, True, {_SASL}, INOPERATIVE),
    (2, _R, _R, False, {_SASL}, NOTHING),
    (3, _O, _R, True, {_SASL, _TLS, _TCP}, NEEDS_TLS),
    (4, _O, _R, False, {_SASL}, NEEDS_TLS),
    (5, _N, _R, True, {_TCP}, NEEDS_TLS),
    (6, _N, _R, False, set(), CANNOT_SUCCEED),
    (7, _R, _O, True, {_SASL, _TLS}, NOTHING),
    (8, _R, _O, False, {_SASL}, NOTHING),
    (9, _O, _O, True, {_SASL, _TLS, _TCP}, NEEDS_TLS),
    (10, _O, _O, False, {_SASL}, NEEDS_TLS),
    (11, _N, _O, True, {_TCP}, NEEDS_TLS),
    (12, _N, _O, False, set(), NEEDS_TLS),
    (13, _R, _N, True, {_TLS}, ONLY_DIALBACK),
    (14, _R, _N, False, set(), MUST_BE_ENABLED),
    (15, _O, _N, True, {_TLS, _TCP}, ONLY_DIALBACK),
    (16, _O, _N, False, set(), MUST_BE_ENABLED),
    (17, _N, _N, True, {_TCP}, ONLY_DIALBACK),
    (18, _N, _N, False, set(), MUST_BE_ENABLED),
)

TABLE: dict[Settings, Row] = {
    Settings(tls, sasl, dialback): Row(number, frozenset(methods), remark)
    for number, tls, sasl, dialback, methods, remark in _PAGE
}

#: The short table of the same page, "common negotiation methods". Its second row names TCP dialback, which row 7 of
#: the complete one does not: TLS that is required excludes a stream without it, so the complete table is followed.
COMMON: dict[Settings, frozenset[Method]] = {
    Settings(_R, _R, False): frozenset({_SASL}),
    Settings(_R, _O, True): frozenset({_SASL, _TLS, _TCP}),
    Settings(_O, _O, True): frozenset({_SASL, _TLS, _TCP}),
    Settings(_N, _N, True): frozenset({_TCP}),
}

#: What New-CsXmppAllowedPartner sets where nothing is said.
DEFAULTS = Settings(_R, _R, True)
