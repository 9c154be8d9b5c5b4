"""All deliberate defects, by name.

Knows which families there are. The defects themselves are in the files of the families.
"""

from __future__ import annotations

import difflib

from simulator.world.systems.mutants.access import ACCESS
from simulator.world.systems.mutants.administration import ADMINISTRATION
from simulator.world.systems.mutants.certificates import CERTIFICATES
from simulator.world.systems.mutants.contacts import CONTACTS
from simulator.world.systems.mutants.delivery import DELIVERY
from simulator.world.systems.mutants.dialback import DIALBACK
from simulator.world.systems.mutants.dialback_over_tls import DIALBACK_OVER_TLS
from simulator.world.systems.mutants.dns import DNS
from simulator.world.systems.mutants.failover import FAILOVER
from simulator.world.systems.mutants.frontend import FRONT_END
from simulator.world.systems.mutants.liveness import LIVENESS
from simulator.world.systems.mutants.lync import LYNC
from simulator.world.systems.mutants.mutant import Mutant
from simulator.world.systems.mutants.partner_types import PARTNER_TYPES
from simulator.world.systems.mutants.presence import PRESENCE
from simulator.world.systems.mutants.quirks import QUIRKS
from simulator.world.systems.mutants.sasl import SASL
from simulator.world.systems.mutants.sessions import SESSIONS
from simulator.world.systems.mutants.stanzas import STANZAS
from simulator.world.systems.mutants.streams import STREAMS
from simulator.world.systems.mutants.strictness import STRICTNESS
from simulator.world.systems.mutants.subscriptions import SUBSCRIPTIONS
from simulator.world.systems.mutants.tls import TLS

FAMILIES: tuple[tuple[Mutant, ...], ...] = (
    STREAMS,
    DIALBACK,
    DIALBACK_OVER_TLS,
    DNS,
    LYNC,
    STANZAS,
    SASL,
    CERTIFICATES,
    STRICTNESS,
    TLS,
    FRONT_END,
    ACCESS,
    PARTNER_TYPES,
    ADMINISTRATION,
    FAILOVER,
    QUIRKS,
    SUBSCRIPTIONS,
    DELIVERY,
    SESSIONS,
    CONTACTS,
    PRESENCE,
    LIVENESS,
)

#: name -> mutant
MUTANTS: dict[str, Mutant] = {mutant.name: mutant for family in FAMILIES for mutant in family}

if len(MUTANTS) != sum(map(len, FAMILIES)):
    raise ValueError("two mutants have one name")


class UnknownMutant(KeyError):  # noqa: N818 - says what happened
    """No defect has this name; the text names the nearest."""

    def __str__(self) -> str:
        return str(self.args[0])


def find(name: str) -> Mutant:
    """Return the defect of this name; raises UnknownMutant."""
    if name in MUTANTS:
        return MUTANTS[name]

    near = difflib.get_close_matches(name, MUTANTS, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`s2sim show ID` names those of a scenario"

    raise UnknownMutant(f"no mutant is called {name!r}: {hint}")
