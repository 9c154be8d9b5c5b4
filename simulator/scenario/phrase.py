"""Verb phrases that have an address within: from the words of a sentence to the verb, and back.

Knows how `CONTACT` in a verb's name is read. Does not know any one verb.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from simulator.scenario.presence_steps import CONTACT, in_full
from simulator.scenario.verb import Verb


def find_verb(verbs: Mapping[str, Verb], phrase: str) -> tuple[Verb, str] | None:
    """The verb of a phrase, and the address that stands in it for `CONTACT`; None: it is no verb's."""
    if phrase in verbs and CONTACT not in phrase:
        return verbs[phrase], ""

    for name, verb in verbs.items():
        if CONTACT in name and (found := _expression(name).fullmatch(phrase)):
            return verb, found["contact"]

    return None


def spoken(verb: Verb, argument: Any) -> tuple[str, Any]:
    """A verb phrase with its contact, and its argument in its short form, where that says it all."""
    if not verb.contact or not isinstance(argument, Mapping):
        return verb.name, argument

    contact = str(argument.get(verb.contact, ""))
    phrase = verb.name.replace(CONTACT, contact)

    for word in (None, *verb.words):
        if in_full(verb, contact, word) == argument:
            return phrase, word

    return phrase, {key: value for key, value in argument.items() if key != verb.contact and key not in verb.implied}


@lru_cache(maxsize=256)
def _expression(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name).replace(CONTACT, r"(?P<contact>\S+@\S+)"))
