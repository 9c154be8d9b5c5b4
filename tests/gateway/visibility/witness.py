"""Reads every stanza that leaves the gateway, and holds it against the model in the moment in which it leaves.

Knows what the partner's users have been shown by now. Does not know how the gateway comes to its decisions.
"""

from __future__ import annotations

from collections import defaultdict
from xml.etree.ElementTree import Element

from tests.gateway.visibility.model import Model, Pair

USERS = ("alice@contoso.com", "bob@contoso.com")
CONTACTS = ("romeo@far.example", "juliet@far.example")
PAIRS = tuple((user, contact) for user in USERS for contact in CONTACTS)

_SERVER = "{jabber:server}"


class Witness:
    """What the partner's users see, and whether they may."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.views: defaultdict[Pair, dict[str, str]] = defaultdict(dict)
        """Resource -> show."""
        self.stale: defaultdict[Pair, set[str]] = defaultdict(set)
        """What could not be taken back: nothing could be sent, or whoever showed it did so himself and is gone."""
        self.meant: set[Pair] = set()
        """Who has ever shown himself to whom, by a subscription or directly, or has meant to in vain."""
        self.act = ""
        self.probed_full = False

    def judge(self, stanza: Element, *, arrives: bool) -> None:
        """A stanza leaves; where it does not arrive, nobody sees what it says."""
        user, _, resource = stanza.get("from", "").partition("/")
        contact, kind = stanza.get("to", "").partition("/")[0], stanza.get("type", "")
        name = stanza.tag.removeprefix(_SERVER)
        says = f"{self.act}: {name} {kind} of {user}/{resource} to {contact}, {self.model.relations[user, contact]}"

        assert contact in CONTACTS, says

        if name == "message":
            # An error goes to whoever has written; all else is what a user says.
            assert kind == "error" or self.model.may_write(user, contact), says
        elif kind == "":
            self._available(stanza, (user, contact), resource, says, arrives)
        elif kind == "unavailable":
            self._unavailable(stanza, (user, contact), resource, says, arrives)
        elif kind != "error":
            assert not resource, f"{says} leaks the resource"
            self._about_subscriptions((user, contact), kind, says)

    def _available(self, stanza: Element, pair: Pair, resource: str, says: str, arrives: bool) -> None:
        show, note = stanza.findtext(f"{_SERVER}show") or "", stanza.findtext(f"{_SERVER}status") or ""
        shown = self.model.shown(*pair).get(resource)
        # Of a device that was asked for alone, and of one that showed itself, an answer says only that it is there.
        mere = self.act == "probe" and not show and not note and (self.probed_full or shown is None)

        assert resource, says
        assert self.model.may_write(*pair), says

        if shown is None:
            assert resource in self.model.shows_directly(*pair), says
            assert not note or self.model.may(*pair, "note"), f"{says} tells the note"
        elif not mere:
            assert (show, note) == shown, f"{says} says {show!r} {note!r} for {shown}"

        if arrives and (not mere or resource not in self.views[pair]):
            self.views[pair][resource] = shown[0] if shown is not None else show

        if arrives:
            self.stale[pair].discard(resource)

    def _unavailable(self, stanza: Element, pair: Pair, resource: str, says: str, arrives: bool) -> None:
        # Who has never seen the user, and has no subscription, must not learn that there was anything to see.
        known = self.model.relations[pair].is_seen or pair in self.meant

        assert known, says
        assert stanza.find(f"{_SERVER}status") is None or self.model.may(*pair, "note"), f"{says} tells the note"
        assert stanza.find(f"{_SERVER}show") is None, says

        if not arrives:
            return

        if resource:
            self.views[pair].pop(resource, None)
        else:
            self.views[pair].clear()

    def _about_subscriptions(self, pair: Pair, kind: str, says: str) -> None:
        relation = self.model.relations[pair]

        # The answer to a stranger's probe is the same for everybody, also for those who do not exist.
        if kind == "unsubscribed" and self.act == "probe":
            assert not relation.is_seen, says
        else:
            assert self.model.may_write(*pair) or (kind == "unsubscribed" and self.act == "unsubscribe"), says

        assert not relation.blocked, says

        if kind == "probe":
            assert relation.sees, says
        elif kind == "subscribed":
            assert relation.is_seen, says
        elif kind == "subscribe":
            assert relation.asks or self.act == "add", says
        else:
            assert kind in ("unsubscribe", "unsubscribed"), says

    def check(self, reachable: bool) -> None:
        """After an act, everybody sees what is to be seen, and nothing else."""
        for pair in PAIRS:
            view, shown = self.views[pair], self.model.shown(*pair)

            if self.model.relations[pair].is_seen:
                self.meant.add(pair)

            direct = self.model.shows_directly(*pair)
            self.stale[pair] &= view.keys()
            extra = view.keys() - shown.keys() - direct - self.stale[pair]

            if reachable:
                assert not extra, f"{self.act}: {pair} still sees {extra}, {self.model.relations[pair]}"

            for resource, (show, _) in shown.items() if reachable else ():
                assert view.get(resource) == show, f"{self.act}: {pair} sees {resource} as {view.get(resource)!r}"

    def excuse(self, pair: Pair, resources: set[str]) -> None:
        """These devices showed themselves, and nobody takes that back."""
        self.stale[pair] |= resources & self.views[pair].keys()
