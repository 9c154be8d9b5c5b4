"""What the journal says about arrivals: who received what unannounced, and what proves a quiet.

Knows entries of the kinds element, delivered, ended, opened, query, barrier and fault. Does not decide the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from simulator.journal import Entry
from simulator.scenario import take
from simulator.scenario.model import Scenario, Step
from simulator.scenario.names import recast
from simulator.scenario.news import Old, old_news
from simulator.scenario.steps import ENDS_THE_SYSTEM, VERBS
from simulator.verdict.compare import asks, describe_end
from simulator.verdict.negotiation import contradictions
from simulator.verdict.presence import describe as describe_delivered

SHUTDOWN = "system-shutdown"

#: What answers the user's own doing, or mirrors it, brings nothing; contact lists are judged where a step asks for one.
_NO_ARRIVAL = frozenset({"accepted", "contact", "output"})
#: News that are none, for a run that has ended well; and for a step which says that nothing came. There a first word
#: from somebody counts, though it be `unavailable`: it may tell a stranger that the user exists.
_NO_NEWS: tuple[Old, ...] = ("repeated", "own", "never there")
_QUIET: tuple[Old, ...] = ("repeated", "own")

#: A step with one of these does not look at how its stream ended, so an end that it met is still unannounced.
_BLIND = frozenset({"nothing", "started", "connection"})


class Evidence:
    """The journal of one run, read with the scenario's names."""

    def __init__(self, scenario: Scenario, entries: Sequence[Entry]) -> None:
        self.scenario, self.entries = scenario, entries
        run = entries[0].data
        self.cast: dict[str, str] = run.get("cast") or {}
        self.steps: dict[tuple[str, int], int] = {}
        """(part, index) -> number of its `step` entry."""

        self._old_news: dict[str, dict[int, Old]] = {}

        for number, entry in enumerate(entries):
            if entry.kind == "step":
                self.steps.setdefault((str(entry.data.get("part")), int(entry.data.get("index", 0))), number)

    def number(self, step: Step) -> int | None:
        """The number of the entry with which this step ended; None: it was not played."""
        return self.steps.get((step.part, step.index))

    def began(self, step: Step) -> int:
        """The number of the entry after which this step was played: the end of the step before it."""
        earlier = [self.number(other) for other in _until(self.scenario, step)]

        return max((number for number in earlier if number is not None), default=-1)

    def consumed(self, upto: int) -> set[int]:
        """Numbers of entries that the steps which ended before entry `upto`, or with it, account for."""
        return {
            int(one)
            for number in self.steps.values()
            if number <= upto
            for one in self.entries[number].data.get("consumed") or []
        }

    def unannounced(self, upto: int, step: Step | None = None) -> Iterator[str]:
        """Describe everything before entry `upto` that no step announced.

        What any step allows besides is allowed throughout: that it came a moment early is the network's doing. With
        `step`: only what reached its actor, and allowed by what was said until then.
        """
        consumed = self.consumed(upto)
        actor = None if step is None else self._home(step.actor)
        captures = self._captures(upto)
        no_news = _NO_NEWS if step is None else _QUIET

        for number, entry in enumerate(self.entries[:upto]):
            if number in consumed or entry.data.get("handled") or (actor and entry.actor != actor):
                continue

            if self._old(entry.actor).get(number) in no_news or (step and not _reached_device(entry, step.device)):
                continue

            if step is None and self._was_judged(number, entry):
                continue

            text = self._arrival(number, entry, step, captures)

            if text:
                yield f"{entry.actor} received what nobody announced: {text}"

    def _arrival(self, number: int, entry: Entry, step: Step | None, captures: Mapping[str, str]) -> str:
        if entry.kind not in ("element", "delivered", "ended"):
            return ""

        data, allowed = entry.data, self._allowed(entry.actor, step)

        if entry.kind == "element":
            if "violation" in data:
                what = data.get("text") or data.get("xml")
                return f"no {data.get('protocol', 'XMPP')}: {data['violation']}" + (f" ({what})" if what else "")

            return "" if take.is_allowed(allowed, str(data.get("xml", "")), captures) else str(data.get("xml"))

        if entry.kind == "delivered":
            if data.get("what") in _NO_ARRIVAL or take.is_allowed(allowed, data, captures):
                return ""

            return describe_delivered(data)

        if entry.kind == "ended" and step is None and data.get("condition") and data.get("by") == "them":
            return "" if self._end_is_known(number, entry, allowed) else describe_end(data)

        return ""

    def _was_judged(self, number: int, entry: Entry) -> bool:
        """Whether a step has already said what this arrival breaks: that nothing SHOULD have come since its actor was
        last looked at. It must not be judged twice, and worse the second time."""
        since = -1

        for step in self.scenario.all_steps:
            played = self.number(step)

            if played is None or self._home(step.actor) != entry.actor:
                continue

            if VERBS[step.verb].expects == "quiet" and step.level != "must" and since < number < played:
                return _reached_device(entry, step.device)

            since = played if VERBS[step.verb].expects != "nothing" else since

        return False

    def _old(self, actor: str) -> dict[int, Old]:
        """Of what was delivered to a user, the numbers of the entries that say nothing new."""
        if actor not in self._old_news:
            arrivals = [
                (number, entry.data)
                for number, entry in enumerate(self.entries)
                if entry.kind == "delivered" and entry.actor == actor
            ]
            self._old_news[actor] = old_news(actor, arrivals)

        return self._old_news[actor]

    def _end_is_known(self, number: int, entry: Entry, allowed: Iterable[Any]) -> bool:
        condition = entry.data["condition"]

        if take.end_is_allowed(allowed, condition) or (condition == SHUTDOWN and self._endings(number)):
            return True

        # A step that saw this end has judged it, even where it awaited something else and was only a SHOULD.
        for step in self.scenario.all_steps:
            played = self.number(step)

            if played is None or VERBS[step.verb].expects in _BLIND or self._home(step.actor) != entry.actor:
                continue

            seen = (self.entries[played].data.get("seen") or {}).get("ended") or {}

            if seen.get("condition") == condition:
                return True

        return False

    def end_was_announced(self, number: int) -> bool:
        """Whether the system could rightly be gone at entry `number`: it was ended and not started again."""
        begun = [step.verb for step in self._begun(number) if step.verb in ENDS_THE_SYSTEM or step.verb == "starts"]

        return bool(begun) and begun[-1] in ENDS_THE_SYSTEM

    def _endings(self, number: int) -> bool:
        return any(step.verb in ENDS_THE_SYSTEM for step in self._begun(number))

    def _begun(self, number: int) -> Iterator[Step]:
        """The steps that had begun when entry `number` was written."""
        for step in self.scenario.all_steps:
            if self.began(step) < number and self._was_reached(step):
                yield step

    def contacts(self, step: Step) -> int:
        """How many connections to the step's actor no step accepted, before the step ended.

        A step that names a host counts every connection to that host: which of them was accepted nobody says.
        """
        upto = self.number(step) or 0
        actor = self._home(step.actor)
        opened = [
            entry.data.get("host")
            for entry in self.entries[:upto]
            if entry.kind == "opened" and entry.actor == actor and entry.data.get("by") == "them"
        ]

        if step.argument is not None:
            host = str(recast(step.argument, self.cast))
            # A partner under another name than its profile's has the hosts of its profile below its own name.
            return sum(one in (host, f"{host}.{actor}") for one in opened)

        accepted = sum(
            other.verb == "accepts a stream" and self._home(other.actor) == actor
            for other in _until(self.scenario, step)
        )

        return len(opened) - accepted

    def contradictions(self, step: Step, seen: Mapping[str, Any]) -> Iterator[str]:
        """What the run's streams say against what a step that negotiates has reported."""
        systems = [str(recast(domain, self.cast)) for domain in self.scenario.domains]

        return contradictions(self.entries, self._home(step.actor), systems, step.argument, seen)

    def questions(self, step: Step) -> Iterator[str]:
        """The questions to the name server that the step says nobody asked."""
        argument = recast(step.argument, self.cast)

        for entry in self.entries[: self.number(step)]:
            if entry.kind == "query" and asks(argument, entry.data):
                yield f"{entry.data.get('name')} {entry.data.get('type')}"

    def is_proven(self, step: Step) -> bool:
        """Whether a barrier came back during the step, or a quiet period is on record where that is enough."""
        barriers = [
            entry for entry in self.entries[self.began(step) + 1 : self.number(step)] if entry.kind == "barrier"
        ]

        if VERBS[step.verb].proof == "period":
            return bool(barriers)

        return any("quiet_s" not in entry.data for entry in barriers)

    def unfired_faults(self) -> list[str]:
        """The faults that steps declared and that never fired afterwards."""
        missing = []

        for step in self.scenario.all_steps:
            number = self.number(step)

            if number is None:
                continue

            fired = {entry.data.get("name") for entry in self.entries[self.began(step) + 1 :] if entry.kind == "fault"}
            declared = (self.entries[number].data.get("seen") or {}).get("faults") or []
            missing += [str(name) for name in declared if name not in fired]

        return missing

    def log_lines(self, last: int) -> list[str]:
        """The last lines of the system's own log."""
        return [str(entry.data.get("text", "")) for entry in self.entries if entry.kind == "log"][-last:]

    def _was_reached(self, step: Step) -> bool:
        earlier = list(_until(self.scenario, step))

        return not earlier or self.number(earlier[-1]) is not None

    def _home(self, actor: str) -> str:
        """The real name under which the arrivals of an actor are recorded: a further domain is its partner's."""
        for partner in self.scenario.partners.values():
            if actor in partner.domains:
                actor = partner.domain

        return str(recast(actor, self.cast))

    def _allowed(self, actor: str, until: Step | None) -> list[Any]:
        steps = self.scenario.all_steps if until is None else [*_until(self.scenario, until), until]

        return [
            recast(pattern, self.cast) for step in steps if self._home(step.actor) == actor for pattern in step.may_also
        ]

    def _captures(self, upto: int) -> dict[str, str]:
        captures: dict[str, str] = dict(self.entries[0].data.get("captures") or {})

        for number in sorted(self.steps.values()):
            if number <= upto:
                captures.update(self.entries[number].data.get("captures") or {})

        return captures


def _reached_device(entry: Entry, device: str) -> bool:
    """Whether something reached this device of the user's; a step that names none is about all of them."""
    return not device or entry.kind != "delivered" or entry.data.get("device") == device


def _until(scenario: Scenario, step: Step) -> Iterator[Step]:
    """The steps before this one."""
    for other in scenario.all_steps:
        if (other.part, other.index) == (step.part, step.index):
            return

        yield other
