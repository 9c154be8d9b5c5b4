"""From one item of ``given:`` or ``steps:`` to a Step, or to an error that says what to write instead.

Knows the grammar of a step and the verb table. Files and matrices are `loader`'s.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, get_args

import yaml

from simulator.document import Document, DocumentError, Path_
from simulator.scenario.argument import check_argument, check_patterns
from simulator.scenario.cast import Cast
from simulator.scenario.encounter import AUTHENTICATED, BOTH_WAYS, REFUSED
from simulator.scenario.foreseen import NEGOTIATES, Foreseen, in_words
from simulator.scenario.model import SYSTEM, Alternative, Level, Part, Step
from simulator.scenario.negotiation_table import Method
from simulator.scenario.phrase import find_verb
from simulator.scenario.presence_steps import CONTACT, in_full
from simulator.scenario.steps import VERBS, ActorKind, Verb
from simulator.scenario.take import ANSWERS

_SENTENCE = re.compile(
    r"(?P<actor>the system(?:'s)?|the administrator|\S+)(?: on (?P<label>\S+))? +(?P<rest>\S.*)", re.DOTALL
)
_ADDRESS = re.compile(r"\S+@\S+")
_OPENING = re.compile(r"(?P<verb>.+?) as (?P<label>\S+)")

#: Keys beside the sentence.
EXTRAS = ("level", "or", "within", "may also receive", "covers", "when")
LEVELS = get_args(Level)


class Parsed(NamedTuple):
    """What a sentence says: who, on which device, about which stream, does what to whom."""

    actor: str
    device: str
    label: str
    verb: Verb
    contact: str


class StepReader:
    """Reads the steps of one scenario in order, for a step may only name a stream that was opened before."""

    def __init__(
        self,
        document: Document,
        cast: Cast,
        level: Level,
        known: Collection[str] | None,
        foreseen: Foreseen | None = None,
    ) -> None:
        self.document, self.cast, self.level, self.foreseen = document, cast, level, foreseen
        self.known = known
        """The ids of all requirements; None: they cannot be checked."""
        self.labels: dict[str, set[str]] = {}
        self.unanswered: dict[str, int] = {}
        """How many messages each user has sent whose answer no step has taken."""
        self.negotiated = False
        """A step before this one negotiates."""

    def read_all(self, part: Part, items: list[Any]) -> tuple[Step, ...]:
        """Read the steps of a part, but for those that nothing can come to; raises DocumentError."""
        steps: list[Step] = []

        for place, item in enumerate(items):
            if self._can_come_to(item):
                steps.append(self.read(part, len(steps), item, place))

        return tuple(steps)

    def read(self, part: Part, index: int, item: Any, place: int | None = None) -> Step:
        """Read one step, which stands in the file at `place` of its part; raises DocumentError at line and column."""
        path: Path_ = (part, index if place is None else place)
        sentence, argument, extras = self._open(path, item)
        actor, device, label, verb, contact = self._parse(path, sentence, opening=True)
        when = self._when(path, extras)
        foreseen = self._foreseen(path, verb, argument)
        argument = foreseen.argument if foreseen else argument
        check_argument(self.document, (*path, sentence), verb, argument)
        self._count_answers(path, actor, verb, argument)
        self.negotiated = self.negotiated or verb.name == NEGOTIATES

        return Step(
            index=index,
            part=part,
            actor=actor,
            device=device,
            verb=verb.name,
            label=label,
            argument=in_full(verb, contact, argument),
            text=told(sentence, verb, argument),
            line=self._line(path),
            level=self._level(path, extras),
            alternatives=(
                *(foreseen.alternatives if foreseen else ()),
                *self._alternatives(path, actor, verb, contact, extras.get("or", [])),
            ),
            within=self._within(path, extras),
            may_also=self._may_also(path, extras),
            covers=self._covers(path, extras),
            when=when,
        )

    def _foreseen(self, path: Path_, verb: Verb, argument: Any) -> Foreseen | None:
        """What the oracle says in place of the argument."""
        if verb.name != NEGOTIATES or argument is not None:
            return None

        if self.foreseen is None:
            hint = "write `negotiation: inbound` or `outbound` in the head, or an argument"
            raise self.document.error(path, f"nothing says what must come of {NEGOTIATES!r}", hint)

        return self.foreseen

    def _can_come_to(self, item: Any) -> bool:
        """Whether some outcome that is right leaves this step to be played."""
        when = item.get("when") if isinstance(item, dict) else None

        if not self.foreseen or when not in (AUTHENTICATED, BOTH_WAYS, REFUSED):
            return True

        if when == BOTH_WAYS and not isinstance(self.foreseen.back.outcome, Method):
            return False

        return (REFUSED if when == REFUSED else AUTHENTICATED) in self.foreseen.expectation.sorts

    def _when(self, path: Path_, extras: Mapping[str, Any]) -> str:
        when = extras.get("when")

        if when is None:
            return ""

        if when not in (AUTHENTICATED, BOTH_WAYS, REFUSED):
            known = f"{AUTHENTICATED}, {BOTH_WAYS} or {REFUSED}"
            raise self.document.error((*path, "when"), f"`when` is {known}, not {when!r}")

        if not self.negotiated:
            hint = f"`when` stands after a step that {NEGOTIATES}"
            raise self.document.error((*path, "when"), "nothing has been negotiated before this step", hint)

        if when == BOTH_WAYS and self.foreseen is None:
            raise self.document.error((*path, "when"), f"`{BOTH_WAYS}` needs `negotiation` in the head")

        return REFUSED if when == REFUSED else AUTHENTICATED

    def _open(self, path: Path_, item: Any) -> tuple[str, Any, Mapping[str, Any]]:
        if isinstance(item, str):
            return " ".join(item.split()), None, {}

        if not isinstance(item, dict) or not item:
            raise self.document.error(path, "a step is a sentence", "for example: gmail.com connects")

        others = [key for key in item if key not in EXTRAS]

        if not others:
            raise self.document.error(path, "this step has no sentence", "for example: gmail.com connects")

        for key in others[1:]:
            raise self._unknown((*path, key), "a step has no key", key, EXTRAS)

        return others[0], item[others[0]], {key: value for key, value in item.items() if key in EXTRAS}

    def _parse(self, path: Path_, sentence: str, *, opening: bool = False) -> Parsed:
        found = _SENTENCE.fullmatch(sentence)

        if not found:
            raise self.document.error(
                path, f"not a step: {sentence!r}", "a step is ACTOR VERB, as in: gmail.com connects"
            )

        actor = found["actor"].removesuffix("'s") if found["actor"].startswith(SYSTEM) else found["actor"]
        kind = self.cast.kind(actor)

        if kind is None:
            near = difflib.get_close_matches(actor, self.cast.everybody, n=2, cutoff=0.7)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(self.cast.everybody)}"
            raise self.document.error(path, f"{actor} is nobody in this scenario", hint)

        actor, device = self.cast.device(actor)
        verb, contact, opened = self._verb(path, kind, found["rest"])
        label = self._label(path, actor, verb, found["label"], opened)

        if opening and verb.opens:
            self.labels.setdefault(actor, set()).add(label)

        return Parsed(actor, device, label, verb, contact)

    def _verb(self, path: Path_, kind: ActorKind, rest: str) -> tuple[Verb, str, str]:
        """The verb, the contact that it is about, and the label after ``as``."""
        opening = _OPENING.fullmatch(rest)
        phrase, opened = (opening["verb"], opening["label"]) if opening and rest not in VERBS else (rest, "")
        found = find_verb(VERBS, phrase)

        if found is None:
            raise self.document.error(path, f"unknown step: {rest!r}", _nearest_verbs(kind, rest))

        verb, contact = found

        if kind not in verb.actors:
            own = [name for name, other in VERBS.items() if kind in other.actors]
            near = difflib.get_close_matches(phrase, own, n=3, cutoff=0.4) or own
            raise self.document.error(
                path,
                f"{phrase!r} is for {' or '.join(verb.actors)}, and this is {_with_article(kind)}",
                f"{_with_article(kind)} has: {', '.join(near)}",
            )

        if opened and not verb.opens:
            raise self.document.error(path, f"{phrase!r} opens no stream, so that it takes no `as {opened}`")

        return verb, contact, opened

    def _count_answers(self, path: Path_, actor: str, verb: Verb, argument: Any) -> None:
        """An acknowledgement must not be taken for that of another message: a claim could pass by an older one.

        Refusals need no such care, for one that no step takes fails the scenario.
        """
        waiting = self.unanswered.get(actor, 0)

        if verb.expects not in ANSWERS:
            self.unanswered[actor] = waiting + (verb.name == "sends a message")
            return

        if verb.expects == "accepted" and waiting > 1 and not (isinstance(argument, Mapping) and argument.get("id")):
            raise self.document.error(
                path,
                f"{actor} has sent {waiting} messages whose answers no step has taken",
                f"give each message an id and say which one: {verb.name}: {{id: ...}}",
            )

        self.unanswered[actor] = max(waiting - 1, 0)

    def _label(self, path: Path_, actor: str, verb: Verb, on: str | None, opened: str) -> str:
        if not on:
            return opened

        if not verb.stream:
            raise self.document.error(path, f"{verb.name!r} is about no stream, so that it takes no `on {on}`")

        if on not in self.labels.get(actor, set()):
            known = ", ".join(sorted(filter(None, self.labels.get(actor, set()))))
            hint = f"{actor} has: {known}" if known else f"open it first: {actor} connects as {on}"
            raise self.document.error(path, f"{actor} has opened no stream as {on!r} before this step", hint)

        return on

    def _level(self, path: Path_, extras: Mapping[str, Any]) -> Level:
        level = extras.get("level", self.level)

        if level not in LEVELS:
            raise self.document.error((*path, "level"), f"no level is called {level!r}", f"levels: {', '.join(LEVELS)}")

        return level  # type: ignore[no-any-return]

    def _within(self, path: Path_, extras: Mapping[str, Any]) -> float | None:
        within = extras.get("within")

        if within is None:
            return None

        if isinstance(within, bool) or not isinstance(within, (int, float)) or within <= 0:
            raise self.document.error((*path, "within"), "`within` is a positive number of seconds")

        return float(within)

    def _may_also(self, path: Path_, extras: Mapping[str, Any]) -> tuple[Any, ...]:
        patterns = extras.get("may also receive", [])
        patterns = patterns if isinstance(patterns, list) else [patterns]
        check_patterns(self.document, (*path, "may also receive"), patterns)

        return tuple(patterns)

    def _covers(self, path: Path_, extras: Mapping[str, Any]) -> tuple[str, ...]:
        covers = extras.get("covers", [])

        if not isinstance(covers, list):
            raise self.document.error((*path, "covers"), "`covers` is a list of requirement ids")

        check_covers(self.document, (*path, "covers"), covers, self.known)

        return tuple(covers)

    def _alternatives(self, path: Path_, actor: str, verb: Verb, contact: str, listed: Any) -> tuple[Alternative, ...]:
        if not isinstance(listed, list):
            raise self.document.error((*path, "or"), "`or` is a list", "or: [{expect: ..., because: RFC 6120 §...}]")

        return tuple(
            self._alternative((*path, "or", number), actor, verb, contact, other) for number, other in enumerate(listed)
        )

    def _alternative(self, path: Path_, actor: str, verb: Verb, contact: str, other: Any) -> Alternative:
        keys = [key for key in other if key != "because"] if isinstance(other, dict) else []

        if len(keys) != 1 or not isinstance(other.get("because"), str):
            raise self.document.error(
                path, "an alternative says what else is right and why", "{expect: ARGUMENT, because: RFC 6120 §...}"
            )

        key = keys[0]

        if key != "expect":
            parsed = self._parse(path, f"{actor} {key}")
            verb, contact = parsed.verb, parsed.contact

        check_argument(self.document, (*path, key), verb, other[key])

        argument = in_full(verb, contact, other[key])

        return Alternative(verb=verb.name, argument=argument, because=other["because"])

    def _line(self, path: Path_) -> int:
        return self.document.positions.get(path, (1, 1))[0]

    def _unknown(self, path: Path_, message: str, key: str, known: Collection[str]) -> DocumentError:
        return unknown(self.document, path, message, key, known)


def unknown(document: Document, path: Path_, message: str, key: str, known: Collection[str]) -> DocumentError:
    """Make the error for a name that is not one of `known`; the hint names the nearest or all."""
    near = difflib.get_close_matches(key, known, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}"

    return document.error(path, f"{message} {key!r}", hint)


def check_covers(document: Document, path: Path_, covers: list[Any], known: Collection[str] | None) -> None:
    """Raise DocumentError for the first id that is not in requirements.yaml."""
    for number, identifier in enumerate(covers):
        if not isinstance(identifier, str):
            raise document.error((*path, number), "a requirement id is text, such as DBK-032")

        if known is not None and identifier not in known:
            near = difflib.get_close_matches(identifier, known, n=3, cutoff=0.6)
            hint = f"did you mean {', '.join(near)}?" if near else "s2sim coverage lists them"
            raise document.error((*path, number), f"requirements.yaml has no requirement {identifier}", hint)


def one_line(argument: Any) -> str:
    """An argument as it would stand on the line of its step."""
    if isinstance(argument, str):
        return " ".join(argument.split())

    return yaml.safe_dump(
        argument, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True
    ).partition("\n")[0]


def told(sentence: str, verb: Verb, argument: Any) -> str:
    """A step, or what stands in its place, on one line."""
    if argument is None:
        return sentence

    return f"{sentence}: {in_words(argument) if verb.name == NEGOTIATES else one_line(argument)}"


def _nearest_verbs(kind: ActorKind, rest: str) -> str:
    own = [name for name, verb in VERBS.items() if kind in verb.actors]
    begun = [name for name in own if rest.startswith((f"{name} ", f"{name}:"))]

    if begun:
        verb = max(begun, key=len)
        argument = rest.removeprefix(verb).lstrip(": ")

        return f"the argument stands after a colon, and quotes go around the argument alone: {verb}: {argument}"

    about = [name for name in own if CONTACT in name and rest.startswith(name.partition(CONTACT)[0])]

    if about:
        return f"CONTACT is an address, and nothing else stands beside it: {VERBS[max(about, key=len)].example}"

    near = difflib.get_close_matches(_ADDRESS.sub(CONTACT, rest), own, n=3, cutoff=0.4)
    known = f"did you mean: {', '.join(near)}?" if near else f"{_with_article(kind)} has: {', '.join(own)}"

    return f"{known} (s2sim steps explains all)"


def _with_article(kind: ActorKind) -> str:
    return f"{'an' if kind == 'administrator' else 'a'} {kind}"
