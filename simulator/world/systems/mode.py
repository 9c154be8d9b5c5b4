"""What is asked of every stream by a system that knows no partners: one mode for all of them.

Knows the settings of partners, as scenarios write them. Does not know any system, nor how it says such a mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.scenario.negotiation_table import DEFAULTS, TABLE, Choice, Method, Settings
from simulator.world.systems.system import SystemSettings

DIALBACK = frozenset({Method.TLS_DIALBACK, Method.TCP_DIALBACK})


@dataclass(frozen=True)
class Mode:
    """What TLS is, and how a domain may be proven.

    Rows of the documented table that have both in common are one mode: the table gives them the same outcomes.
    """

    tls: Choice
    methods: frozenset[Method]

    @property
    def encrypts(self) -> bool:
        """Whether there is TLS at all."""
        return self.tls is not Choice.NOT_SUPPORTED

    @property
    def external(self) -> bool:
        """Whether a certificate proves a domain."""
        return Method.EXTERNAL in self.methods

    @property
    def dialback(self) -> bool:
        """Whether dialback does."""
        return not DIALBACK.isdisjoint(self.methods)

    @property
    def rows(self) -> frozenset[str]:
        """The capabilities `settings TLS/SASL/DIALBACK` of a system that can be put into this mode."""
        return frozenset(row.capability for row in TABLE if _mode(row) == self)

    def __str__(self) -> str:
        return f"{self.tls}: {', '.join(sorted(self.methods))}"


def mode_of(settings: SystemSettings) -> Mode:
    """The mode that suits the first partner; the plain one where nobody is allowed. Raises ValueError for odd words.

    A system with one mode for all plays scenarios whose partners have the same settings. Who comes last may be the
    partner of a barrier, who takes part in nothing and is able to do everything.
    """
    return next((_mode(_row(partner)) for partner in settings.partners.values()), PLAIN)


def rows(*modes: Mode) -> frozenset[str]:
    """The rows that any of these modes stands for."""
    return frozenset(row for mode in modes for row in mode.rows)


def _row(partner: Mapping[str, Any]) -> Settings:
    return Settings(
        Choice(partner.get("tls", DEFAULTS.tls)),
        Choice(partner.get("sasl", DEFAULTS.sasl)),
        bool(partner.get("dialback", DEFAULTS.dialback)),
    )


def _mode(row: Settings) -> Mode:
    return Mode(row.tls, TABLE[row].methods)


#: Without TLS, dialback is all there is.
PLAIN = _mode(Settings(Choice.NOT_SUPPORTED, Choice.NOT_SUPPORTED, True))
CERTIFICATES_ONLY = _mode(Settings(Choice.REQUIRED, Choice.REQUIRED, False))
CERTIFICATES_WITH_TLS = _mode(Settings(Choice.OPTIONAL, Choice.OPTIONAL, False))
ENCRYPTED = _mode(Settings(Choice.REQUIRED, Choice.OPTIONAL, True))
ENCRYPTED_DIALBACK = _mode(Settings(Choice.REQUIRED, Choice.NOT_SUPPORTED, True))
ANYTHING = _mode(Settings(Choice.OPTIONAL, Choice.OPTIONAL, True))
ANY_DIALBACK = _mode(Settings(Choice.OPTIONAL, Choice.NOT_SUPPORTED, True))
