"""Who plays whom: fresh names for one run, the same ones for the same seed, and how texts are recast.

Knows names and chance. Does not know who is renamed: the runner says which names must be fresh.
"""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

TOKEN_LENGTH = 8


def token(seed: int, scenario_id: str) -> str:
    """Eight letters and digits that make the names of one run unique: 40 bits of seed and scenario."""
    digest = hashlib.sha256(f"{seed}\0{scenario_id}".encode()).digest()

    return base64.b32encode(digest)[:TOKEN_LENGTH].decode("ascii").lower()


def entropy(seed: int, scenario_id: str, purpose: str) -> random.Random:
    """The source of chance for one purpose (``stream ids``, ``gateway``): the same seed gives the same run."""
    digest = hashlib.sha256(f"{seed}\0{scenario_id}\0{purpose}".encode()).digest()

    return random.Random(int.from_bytes(digest, "big"))


def fresh_names(names: Iterable[str], seed: int, scenario_id: str) -> dict[str, str]:
    """Give each domain or address a real name that no other scenario has.

    ``gmail.com`` becomes ``gmail-k3f9x2ab.com``, ``alice@contoso.com`` becomes ``alice-k3f9x2ab@contoso.com``; a
    domain below another one of `names` needs no name of its own, for `recast` covers it.
    """
    mark = token(seed, scenario_id)
    chosen = dict.fromkeys(name.lower() for name in names)

    return {name: _fresh(name, mark) for name in chosen if not _stands_below(name, chosen)}


def recast(value: Any, cast: Mapping[str, str]) -> Any:
    """Put real names in place of the scenario's in a text, or in every text (keys, too) of a list or mapping.

    A name covers what stands below it: with ``gmail.com`` also ``chat.gmail.com`` and ``juliet@gmail.com``; it does not
    cover ``notgmail.com`` or ``gmail.com.evil.example``. Upper case stays upper case, a capital stays a capital.
    """
    if isinstance(value, str):
        return _recast_text(value, tuple(sorted(cast.items()))) if cast else value

    if isinstance(value, Mapping):
        return {recast(key, cast): recast(item, cast) for key, item in value.items()}

    if isinstance(value, (list, tuple)):
        return type(value)(recast(item, cast) for item in value)

    return value


def _fresh(name: str, mark: str) -> str:
    local, at, domain = name.rpartition("@")

    if at:
        return f"{local}-{mark}@{domain}"

    first, dot, rest = domain.partition(".")

    # The mark must go inside the label that Punycode encodes, or both spellings of a name would no longer be one.
    if first.startswith("xn--"):
        plain = first.encode("ascii").decode("idna")
        return f"{plain}-{mark}".encode("idna").decode("ascii") + dot + rest

    return f"{first}-{mark}{dot}{rest}"


def _stands_below(name: str, names: Iterable[str]) -> bool:
    return "@" not in name and any(name.endswith(f".{other}") for other in names)


@lru_cache(maxsize=4096)
def _recast_text(text: str, cast: tuple[tuple[str, str], ...]) -> str:
    names = dict(cast)

    def replace(match: re.Match[str]) -> str:
        real = names[match[0].lower()]

        if match[0].isupper():
            return real.upper()

        return real if match[0].islower() else real.title()

    return _expression(tuple(names)).sub(replace, text)


@lru_cache(maxsize=256)
def _expression(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)

    # A name ends where neither another character of a label nor a dot and a further label follows.
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?!\.?[\w-])", re.IGNORECASE)
