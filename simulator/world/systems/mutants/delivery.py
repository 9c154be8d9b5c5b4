"""Deliberate defects in which devices of a user a stanza reaches, and what becomes of it else (RFC 6121 §8.5).

Knows the rules of the front end that it breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from simulator.gateway.frontend.recipients import Standing, Target, recipients
from simulator.gateway.frontend.stanzas import DELIVER, IQ, ITEMS_QUERY, fate_of_message, result_of_iq
from simulator.gateway.frontend.translation import stanza_of
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.address import Address
from simulator.xmpp.errors import StanzaCondition

RIGHT = Rules()


def _front_end(**changes: Any) -> Rules:
    """Rules whose front end decides otherwise."""
    return replace(RIGHT, frontend=replace(RIGHT.frontend, **changes))


def _comes_back(wanted: str, where: Target) -> Callable[..., str]:
    """Refuses what is of this type and has this target."""

    def fate(type_: str, target: Target, **options: Any) -> str:
        refused = type_ == wanted and target is where
        return StanzaCondition.SERVICE_UNAVAILABLE if refused else fate_of_message(type_, target, **options)

    return fate


def _finds_another(wanted: str) -> Callable[..., str]:
    """Delivers what is of this type to whatever device there is."""

    def fate(type_: str, target: Target, *, known: bool, reachable: bool) -> str:
        lost = type_ == wanted and target is Target.OTHER and reachable
        return DELIVER if lost else fate_of_message(type_, target, known=known, reachable=reachable)

    return fate


def _tells_who_is_away(type_: str, target: Target, *, known: bool, reachable: bool) -> str:
    fate = fate_of_message(type_, target, known=known, reachable=reachable)
    unknown = fate == StanzaCondition.SERVICE_UNAVAILABLE and not known

    return StanzaCondition.ITEM_NOT_FOUND if unknown else fate


def _everybody(type_: str, standings: Sequence[Standing]) -> list[int]:
    return [number for number, each in enumerate(standings) if each.available]


def _first_alone(type_: str, standings: Sequence[Standing]) -> list[int]:
    return recipients(type_, standings)[:1]


def _whether_available_or_not(type_: str, standings: Sequence[Standing]) -> list[int]:
    return list(range(len(standings)))


def _ignoring_sessions(type_: str, standings: Sequence[Standing]) -> list[int]:
    return recipients(type_, [replace(each, talks=False) for each in standings])


def _with_users(iq: Element, *, to_domain: bool) -> Element | None:
    """Lists somebody among the items of the domain, and of whoever is asked for."""
    if iq[0].tag != ITEMS_QUERY:
        return result_of_iq(iq, to_domain=to_domain)

    asked = iq.get("to", "")
    result = Element(IQ, {"from": asked, "to": iq.get("from", ""), "id": iq.get("id", ""), "type": "result"})
    query = SubElement(result, ITEMS_QUERY)
    domain = asked.partition("/")[0].rpartition("@")[2]
    SubElement(query, f"{ITEMS_QUERY.removesuffix('query')}item", {"jid": f"alice@{domain}"})

    return result


def _in_the_name_of_the_user(*arguments: Any, **options: Any) -> Element:
    right = stanza_of(*arguments, **options)
    right.set("from", right.get("from", "").partition("/")[0])

    return right


def _to_the_user_alone(*arguments: Any, **options: Any) -> Element:
    right = stanza_of(*arguments, **options)
    right.set("to", right.get("to", "").partition("/")[0])

    return right


DELIVERY: tuple[Mutant, ...] = (
    # A device is named
    Mutant(
        "no-device-is-named",
        "Takes every full address for one of a device that is gone.",
        _front_end(matches=lambda resource, wanted: False),
    ),
    Mutant(
        "names-mean-nothing",
        "Takes every full address for one of all devices.",
        _front_end(matches=lambda resource, wanted: True),
    ),
    Mutant(
        "names-in-any-case",
        "Knows resources in any spelling.",
        _front_end(matches=lambda resource, wanted: resource.casefold() == wanted.casefold()),
    ),
    Mutant(
        "groupchat-comes-back",
        "Refuses groupchat messages to devices.",
        _front_end(fate_of_message=_comes_back("groupchat", Target.MATCH)),
    ),
    Mutant(
        "chat-to-a-lost-device-comes-back",
        "Refuses chat messages to a device that is gone, though another is there.",
        _front_end(fate_of_message=_comes_back("chat", Target.OTHER)),
    ),
    Mutant(
        "groupchat-finds-another-device",
        "Shows groupchat messages to a device that is gone on another.",
        _front_end(fate_of_message=_finds_another("groupchat")),
    ),
    # No device is named
    Mutant("chat-to-every-device", "Sends chat messages to all devices.", _front_end(recipients=_everybody)),
    Mutant("headlines-to-one-device", "Sends headlines to one device.", _front_end(recipients=_first_alone)),
    Mutant(
        "unavailable-devices-are-written-to",
        "Sends messages to devices that say that they are not available.",
        _front_end(recipients=_whether_available_or_not),
    ),
    Mutant(
        "conversations-change-devices",
        "Looks at priorities only, and not at which device a conversation is on.",
        _front_end(recipients=_ignoring_sessions),
    ),
    Mutant(
        "recipients-are-rewritten",
        "Says that a message was for the device that it reaches.",
        _front_end(recipient_of=lambda to, resource: Address(to.local, to.domain, resource)),
    ),
    Mutant(
        "last-answer-counts",
        "Tells the sender of a message to several devices what the last one answered.",
        _front_end(best_answer=lambda codes: len(codes) - 1),
    ),
    # What does not reach anybody
    Mutant(
        "tells-who-is-away",
        "Answers messages to nobody with another error than those to users who are away.",
        _front_end(fate_of_message=_tells_who_is_away),
    ),
    Mutant(
        "late-errors-are-lost",
        "Tells nobody what failed after it was accepted.",
        _front_end(tells_of_late_errors=False),
    ),
    # Requests
    Mutant("lists-its-users", "Names users among its items.", _front_end(result_of_iq=_with_users)),
    Mutant(
        "devices-answer-strangers",
        "Answers for devices to whoever asks.",
        _front_end(may_ask_device=lambda shares: True),
    ),
    Mutant(
        "devices-answer-nobody",
        "Never answers for devices.",
        _front_end(may_ask_device=lambda shares: False),
    ),
    # On the way out
    Mutant(
        "senders-lose-their-device",
        "Sends in the name of users, not of their devices.",
        _front_end(stanza_of=_in_the_name_of_the_user),
    ),
    Mutant(
        "recipients-lose-their-device",
        "Sends to contacts, not to the device that is named.",
        _front_end(stanza_of=_to_the_user_alone),
    ),
)
