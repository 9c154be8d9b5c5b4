"""Groups of contacts: names in XMPP, numbers in the list of Lync's clients ([MS-SIP] §2.2.4.1).

Knows which number means which name. Does not know contacts.
"""

from __future__ import annotations

from collections.abc import Iterable

#: "Contacts must be in at least one group": what stands for none, by the name that Lync's clients give it
OTHERS, OTHERS_NAME = 1, "~"

#: groups of one user
MOST_GROUPS = 64


class Groups:
    """The numbers of one user's groups. "The particular numbering sequence is not persisted"."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The number of a group, a new one where it has none; where there are too many, that of OTHERS."""
        if name not in self._numbers:
            if len(self._numbers) >= MOST_GROUPS:
                return OTHERS

            self._numbers[name] = max(self._numbers.values(), default=OTHERS) + 1

        return self._numbers[name]

    def numbers(self, names: Iterable[str]) -> tuple[int, ...]:
        """The numbers of a contact's groups."""
        return tuple(dict.fromkeys(self.number(name) for name in names)) or (OTHERS,)

    def names(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """The names behind numbers; what is unknown, and OTHERS, is none."""
        wanted = set(numbers)

        return tuple(name for name, number in self._numbers.items() if number in wanted)

    def forget(self, number: int) -> None:
        """The group is gone."""
        self._numbers = {name: each for name, each in self._numbers.items() if each != number}

    def rename(self, number: int, name: str) -> None:
        """The group has another name from now on."""
        self.forget(number)
        self._numbers[name] = number

    def all(self) -> tuple[tuple[int, str], ...]:
        """Numbers and names, as they stand in the list."""
        return ((OTHERS, OTHERS_NAME), *((number, name) for name, number in self._numbers.items()))
