"""The systems that can take the seat, by name.

Knows which there are. Does not know them, nor loads any before it is wanted.
"""

from __future__ import annotations

import difflib
from importlib import import_module

from simulator.world.systems.system import Seat

#: name -> the module that has its `SEAT`
MODULES = {
    "embedded": "simulator.world.systems.embedded",
    "embedded-process": "simulator.world.systems.embedded_process",
    "embedded-apart": "simulator.world.systems.embedded_apart",
    "prosody": "simulator.world.systems.prosody",
    "ejabberd": "simulator.world.systems.ejabberd",
}


class UnknownSystem(LookupError):  # noqa: N818 - says what is the matter
    """No system has this name; the text names the nearest."""


def seat(name: str) -> Seat:
    """The seat of this name; raises UnknownSystem. Whether it is installed shows when one is started."""
    if name not in MODULES:
        close = difflib.get_close_matches(name, MODULES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(MODULES)}"
        raise UnknownSystem(f"no system is called {name!r}; {hint}")

    found: Seat = import_module(MODULES[name]).SEAT

    return found
