"""What is said of one verb: who may do it, what its argument is, which judge reads what it saw.

Knows the shape of a row. The table itself is `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

ActorKind = Literal["partner", "user", "domain", "DNS", "system", "administrator"]
ArgumentKind = Literal["none", "optional", "required"]


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """One verb phrase, with one meaning for every actor."""

    name: str
    """May hold `CONTACT`, in whose place a sentence has an address."""
    actors: tuple[ActorKind, ...]
    says: str
    """One or two sentences for the author of a scenario."""
    example: str
    """A whole step, valid YAML."""
    expects: str = "nothing"
    """The judge: a name of `evidence.EXPECTS`."""
    argument: ArgumentKind = "none"
    default: str | None = None
    """What an argument that is left out stands for."""
    xml: bool = False
    """An argument that is text is one XML element."""
    keys: tuple[str, ...] = ()
    """The keys of an argument that is a mapping; empty: it may not be one, or (with ``*``) may have any."""
    contact: str = ""
    """The key under which the address in the sentence goes into the argument."""
    words: tuple[str, ...] = ()
    """What an argument may be that is text; empty: anything."""
    brief: str = ""
    """The key of which such a word is the value."""
    implied: Mapping[str, Any] = {}
    """What the argument holds besides, where it does not say otherwise."""
    opens: bool = False
    """Opens a stream, so that it takes ``as LABEL``."""
    stream: bool = False
    """Acts on one stream, so that it takes ``on LABEL``."""
    proof: Literal["", "barrier", "period"] = ""
    """What must prove it: a barrier; or a recorded quiet period where no barrier exists."""
    needs: frozenset[str] = frozenset()
    """Capabilities that the system must have."""
