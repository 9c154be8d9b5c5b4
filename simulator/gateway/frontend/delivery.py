"""A message to a user inside, on whatever devices they have registered: one answer comes of it.

Knows the headers of a MESSAGE (RFC 3428 §4) and forking. Does not know where the message came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.gateway.frontend.flow import Flow, OnFinal
from simulator.gateway.frontend.registrar import Binding
from simulator.sip.identifiers import Identifiers
from simulator.sip.message import HeaderList, Response

MAX_FORWARDS = 70


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A MESSAGE but for its address lines that differ between devices."""

    sender: str
    """URI for From."""
    to: str
    """URI for To."""
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """Content-Type and what else describes the body."""
    call_id: str = ""
    """Empty: a fresh one."""
    carried: str = ""
    """The id that the branch carries."""
    max_forwards: int = MAX_FORWARDS


class Delivery:
    """Sends letters. `limit`: largest MESSAGE in bytes, or None; `best` as `best_answer`."""

    def __init__(self, identifiers: Identifiers, limit: int | None, best: Callable[[Sequence[int]], int]) -> None:
        self._identifiers, self._limit, self._best = identifiers, limit, best

    def deliver(self, letter: Letter, bindings: Sequence[Binding[Flow]], on_final: OnFinal) -> None:
        """Send a letter to every device of a user; `on_final` is called once, with the best answer."""
        if len(bindings) > 1:
            on_final = _Fork(len(bindings), on_final, self._best)

        headers = self._headers(letter)

        for binding in tuple(bindings):
            binding.flow.message(
                binding.contact,
                carried=letter.carried,
                headers=headers,
                body=letter.body,
                limit=self._limit,
                on_final=on_final,
            )

    def _headers(self, letter: Letter) -> HeaderList:
        fresh = self._identifiers.fresh()

        return (
            ("Max-Forwards", str(letter.max_forwards)),
            ("To", f"<{letter.to}>"),
            # A tag of its own for every message: two that share a thread, and so a Call-ID, would else be taken for the
            # same request arriving twice (RFC 3261 §8.2.2.2).
            ("From", f"<{letter.sender}>;tag={fresh}"),
            ("Call-ID", letter.call_id or fresh),
            ("CSeq", "1 MESSAGE"),
            *letter.headers,
        )


class _Fork:
    """Waits for all devices. RFC 3428 §4: "the forking proxy will forward one final response upstream"."""

    def __init__(self, devices: int, on_final: OnFinal, best: Callable[[Sequence[int]], int]) -> None:
        self._devices, self._on_final, self._best = devices, on_final, best
        self._answers: list[tuple[int, Response | None]] = []

    def __call__(self, code: int, response: Response | None) -> None:
        self._answers.append((code, response))

        if len(self._answers) == self._devices:
            self._on_final(*self._answers[self._best([each for each, _ in self._answers])])


def best_answer(codes: Sequence[int]) -> int:
    """The number of the answer that counts; of equals the first."""
    return min(range(len(codes)), key=lambda number: rank(codes[number]))


def rank(code: int) -> tuple[int, int]:
    """The best answer has the lowest. RFC 3261 §16.7 step 6: any 2xx, or else a 6xx, or else the lowest class."""
    return (0 if code < 300 else 1 if code >= 600 else code // 100, code)
