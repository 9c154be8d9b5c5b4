"""The verbs about contacts, subscriptions, presence and chat states: a part of the verb table.

Knows what each says, and how the short form of its argument reads in full. CONTACT stands for an address in the
sentence. They mean the same for a user who speaks SIP, for one of an XMPP server, and for one at a partner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.scenario.verb import ActorKind, Verb

CONTACT = "CONTACT"

_USER: tuple[ActorKind, ...] = ("user",)

#: RFC 6121 §4.7.2.1: the values of <show/>; `available` is presence without one.
SHOWS = ("away", "chat", "dnd", "xa")
AVAILABLE, UNAVAILABLE = "available", "unavailable"
_PRESENCE = (AVAILABLE, UNAVAILABLE, *SHOWS)
#: XEP-0085 §2.
CHAT_STATES = ("active", "composing", "paused", "inactive", "gone")
#: RFC 6121 §3 and Appendix A: the types of presence that manage subscriptions, and the states that they lead to.
SUBSCRIPTION_TYPES = ("subscribe", "subscribed", "unsubscribe", "unsubscribed")
STATES = ("N", "NPO", "NPI", "NPOI", "T", "TPI", "F", "FPO", "B")
REACHES, HAS_SUBSCRIPTION = "has reached a subscription with CONTACT", "has a subscription with CONTACT"


#: What the system must have.
_PRESENT = frozenset({"presence"})
_LISTED = _PRESENT | {"contact-lists"}


def _action(name: str, says: str, example: str, needs: frozenset[str] = _PRESENT) -> Verb:
    return Verb(name=name, actors=_USER, says=says, example=example, contact="contact", needs=needs)


PRESENCE_VERBS = (
    Verb(
        name="adds CONTACT",
        actors=_USER,
        says="Puts somebody on the contact list and asks to see their presence: `subscribe`.",
        example="alice@contoso.com adds juliet@gmail.com: {name: Juliet}",
        argument="optional",
        keys=("name", "groups"),
        contact="contact",
        needs=_PRESENT,
    ),
    _action(
        "removes CONTACT",
        "Takes somebody off the contact list, which ends what either may see of the other.",
        "alice@contoso.com removes juliet@gmail.com",
    ),
    _action(
        "accepts CONTACT",
        "Lets somebody see this user's presence: `subscribed`. Before they ask it is an approval in advance "
        "(RFC 6121 §3.4).",
        "juliet@gmail.com accepts alice@contoso.com",
    ),
    _action(
        "refuses CONTACT",
        "Answers a request with no: `unsubscribed`.",
        "juliet@gmail.com refuses alice@contoso.com",
    ),
    _action(
        "cancels the subscription of CONTACT",
        "Takes back what was granted, so that they see this user's presence no longer: `unsubscribed`.",
        "alice@contoso.com cancels the subscription of juliet@gmail.com",
    ),
    _action(
        "unsubscribes from CONTACT",
        "Wants to see somebody's presence no longer, and keeps them on the list: `unsubscribe`.",
        "alice@contoso.com unsubscribes from juliet@gmail.com",
    ),
    _action(
        "blocks CONTACT",
        "Wants to hear nothing from somebody, and to be unseen by them.",
        "alice@contoso.com blocks juliet@gmail.com",
        _PRESENT | {"blocking"},
    ),
    _action(
        "unblocks CONTACT",
        "Takes that back.",
        "alice@contoso.com unblocks juliet@gmail.com",
        _PRESENT | {"blocking"},
    ),
    _action(
        "probes CONTACT",
        "Asks for somebody's presence once: `probe`; in SIP a SUBSCRIBE that ends at once.",
        "juliet@gmail.com probes alice@contoso.com",
    ),
    Verb(
        name="sets its presence",
        actors=_USER,
        says="Is seen by those who may like this from now on: available, unavailable (and stays signed in), away, "
        "chat, dnd, xa, or a mapping. `note` is text, or one for each language; `extra` is XML: a part of the "
        "stanza for users who speak XMPP, for those who speak SIP the whole presence document (PIDF).",
        example="alice@contoso.com sets its presence: {show: away, note: Lunch}",
        argument="required",
        keys=("show", "note", "priority", "extra", "type"),
        words=_PRESENCE,
        brief="show",
        needs=_PRESENT,
    ),
    Verb(
        name="sends its presence to CONTACT",
        actors=_USER,
        says="Shows presence to one address, on the contact list or not (RFC 6121 §4.6); the argument as for *sets its "
        "presence*.",
        example="alice@contoso.com sends its presence to romeo@gmail.com: dnd",
        argument="required",
        keys=("show", "note", "type"),
        words=_PRESENCE,
        brief="show",
        contact="to",
        needs=_PRESENT,
    ),
    Verb(
        name="sends a chat state to CONTACT",
        actors=_USER,
        says="Says how far a conversation is: active, composing, paused, inactive, gone (XEP-0085; RFC 3994).",
        example="alice@contoso.com sends a chat state to juliet@gmail.com: composing",
        argument="required",
        words=CHAT_STATES,
        brief="state",
        contact="to",
    ),
    Verb(
        name="vanishes",
        actors=_USER,
        says="Loses its connection without a word.",
        example="alice@contoso.com vanishes",
    ),
    Verb(
        name="is asked by CONTACT",
        actors=_USER,
        says="Somebody's request to see this user's presence is shown: the next thing that reaches the user from this "
        "contact, chat states and messages aside.",
        example="alice@contoso.com is asked by juliet@gmail.com",
        expects="subscription",
        argument="optional",
        keys=("note", "to", "xml"),
        contact="from",
        implied={"type": "subscribe"},
        needs=_PRESENT,
    ),
    Verb(
        name="is told by CONTACT",
        actors=_USER,
        says="What somebody has decided about a subscription is shown: `subscribed`, `unsubscribed`, `unsubscribe`; "
        "the next thing as for *is asked by*.",
        example="alice@contoso.com is told by juliet@gmail.com: subscribed",
        expects="subscription",
        argument="required",
        keys=("type", "note", "to", "xml"),
        words=SUBSCRIPTION_TYPES,
        brief="type",
        contact="from",
        needs=_PRESENT,
    ),
    Verb(
        name="sees CONTACT",
        actors=_USER,
        says="Somebody's presence reaches this user: that they are available, whatever else; or as the argument says: "
        "available (and no more), unavailable, away, chat, dnd, xa, or a mapping. The next thing as for *is asked by*, "
        "of this device where CONTACT names one; what says again what is known is passed over.",
        example="juliet@gmail.com sees alice@contoso.com: {show: away, note: Lunch}",
        expects="presence",
        argument="optional",
        keys=("show", "note", "notes", "priority", "type", "to", "xml"),
        words=_PRESENCE,
        brief="show",
        contact="from",
        implied={"type": AVAILABLE},
        needs=_PRESENT,
    ),
    Verb(
        name="sees a chat state of CONTACT",
        actors=_USER,
        says="Somebody's chat state is shown; other ones that reach the user before are passed over only where *may "
        "also receive* allows them.",
        example="juliet@gmail.com sees a chat state of alice@contoso.com: composing",
        expects="composing",
        argument="required",
        keys=("state", "thread", "to", "xml"),
        words=CHAT_STATES,
        brief="state",
        contact="from",
    ),
    Verb(
        name="has CONTACT in its contact list",
        actors=_USER,
        says="The list that the system keeps for this user holds somebody, with these fields (null: absent): "
        "subscription (none, to, from, both), ask, name, groups, pending. It is asked for after everything that was "
        "sent before has been read, and again until it is so or the time is up.",
        example="alice@contoso.com has juliet@gmail.com in its contact list: {subscription: none, ask: subscribe}",
        expects="contact-list",
        argument="optional",
        keys=("subscription", "ask", "name", "groups", "pending", "approved"),
        words=("none", "to", "from", "both"),
        brief="subscription",
        contact="contact",
        needs=_LISTED,
    ),
    Verb(
        name="does not have CONTACT in its contact list",
        actors=_USER,
        says="It does not hold them.",
        example="alice@contoso.com does not have juliet@gmail.com in its contact list",
        expects="contact-list",
        contact="contact",
        implied={"listed": False},
        needs=_LISTED,
    ),
    Verb(
        name=REACHES,
        actors=_USER,
        says="Brings a user inside and one at a partner to one of the nine states of RFC 6121 Appendix A, by what both "
        "would do, and takes what reaches the two meanwhile: N, NPO (asks), NPI (is asked), NPOI, T (sees the other), "
        "TPI, F (is seen), FPO, B. Where that fails the scenario is undecided.",
        example="alice@contoso.com has reached a subscription with juliet@gmail.com: NPOI",
        argument="required",
        words=STATES,
        brief="state",
        contact="contact",
        needs=_LISTED,
    ),
    Verb(
        name=HAS_SUBSCRIPTION,
        actors=_USER,
        says="The system holds that a user inside and a contact are in this state, by what can be seen from outside: "
        "what the contact list says (none, to, from, both; ask), whether the contact's request is shown again after "
        "the user has signed out and in, and whether a probe of the contact is answered with presence. The three must "
        "agree. What reaches the two meanwhile is taken; the refusal of a probe may have changed what either side "
        "knows, so it is a last step about these two.",
        example="alice@contoso.com has a subscription with juliet@gmail.com: TPI",
        expects="state",
        argument="required",
        words=STATES,
        brief="state",
        contact="contact",
        needs=_LISTED,
    ),
)

#: Those that make sense for people who have no contacts and show no presence, too.
NOT_OF_PRESENCE = frozenset({"sends a chat state to CONTACT", "sees a chat state of CONTACT", "vanishes"})


def in_full(verb: Verb, contact: str, argument: Any) -> Any:
    """The argument of a sentence with its contact, its word, and what the verb implies, as one mapping.

    Verbs that have none of these keep the argument as it stands.
    """
    if not (verb.contact or verb.brief or verb.implied):
        return argument

    full: dict[str, Any] = {verb.contact: contact} if verb.contact else {}

    if isinstance(argument, Mapping):
        full |= argument if verb.expects == "nothing" else {_part(key, value): value for key, value in argument.items()}
    elif argument is not None:
        full |= _presence(str(argument)) if verb.brief == "show" else {verb.brief: argument}

    return {**verb.implied, **full}


def _part(key: str, value: Any) -> str:
    """A note arrives as ``status``, those of several languages as ``notes``."""
    if key != "note":
        return key

    return "notes" if isinstance(value, Mapping) else "status"


def _presence(word: str) -> dict[str, Any]:
    if word == UNAVAILABLE:
        return {"type": UNAVAILABLE}

    return {"type": AVAILABLE, "show": None if word == AVAILABLE else word}
