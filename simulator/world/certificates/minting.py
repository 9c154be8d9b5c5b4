"""Mints certificates of every kind.

Knows which recipe makes which kind. What the kinds mean is the `catalogue`, how they are made is a file for each topic.
"""

from __future__ import annotations

from simulator.world.certificates import naming, paths, purposes, strength, structure, validity
from simulator.world.certificates.catalogue import kind_of
from simulator.world.certificates.request import Recipe, Request, Shown

RECIPES: dict[str, Recipe] = {
    **naming.RECIPES,
    **paths.RECIPES,
    **purposes.RECIPES,
    **strength.RECIPES,
    **validity.RECIPES,
    **structure.RECIPES,
}
#: These would not be what they are any more when minted before.
MINTED_ANEW = frozenset({"expires-soon"})


def mint(request: Request) -> Shown:
    """A certificate of the kind; raises UnknownKind, or CannotMint for a domain that cannot have such a one."""
    return RECIPES[kind_of(request.kind).name](request)
