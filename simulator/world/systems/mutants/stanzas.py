"""Deliberate defects in what becomes of a partner's stanzas (RFC 6120 §8, §10; RFC 6121 §8.5).

Knows the rules of the edge about addresses, and those of the front end about messages and requests, that it breaks.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from simulator.gateway.edge.admission import Pair, pair_of_stanza
from simulator.gateway.frontend.stanzas import DELIVER, IGNORE, IQ, fate_of_message, fault_of_iq, result_of_iq
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.address import domain_of
from simulator.xmpp.element import make_error
from simulator.xmpp.errors import StanzaCondition, StreamCondition

RIGHT = Rules()


def _inside(**changes: Any) -> Rules:
    """Rules whose front end decides otherwise."""
    return replace(RIGHT, frontend=replace(RIGHT.frontend, **changes))


def _as_text(sender: str | None, to: str | None) -> Pair | None:
    if pair_of_stanza(sender, to) is None or not sender or not to:
        return None

    return sender.partition("/")[0].rpartition("@")[2], to.partition("/")[0].rpartition("@")[2]


def _whole_sender(sender: str | None, to: str | None) -> Pair | None:
    return (sender, domain_of(to)) if sender and to and pair_of_stanza(sender, to) else None


def _of_any_sender(pair: Pair, valid: Set[Pair]) -> bool:
    return any(pair[1] == target for _, target in valid)


def _to_any_target(pair: Pair, valid: Set[Pair]) -> bool:
    return any(pair[0] == sender for sender, _ in valid)


def _without_id(stanza: Element, *arguments: Any, **options: Any) -> Element:
    error = make_error(stanza, *arguments, **options)
    error.attrib.pop("id", None)

    return error


def _of_anything(stanza: Element, *arguments: Any, **options: Any) -> Element:
    """An error for whatever comes, even for an error."""
    asked = Element(stanza.tag, {name: value for name, value in stanza.items() if name != "type"})

    return make_error(asked, *arguments, **options)


def _result_without_id(iq: Element, *, to_domain: bool) -> Element | None:
    result = result_of_iq(iq, to_domain=to_domain)

    if result is None:
        result = Element(IQ, {"from": iq.get("to", ""), "to": iq.get("from", ""), "type": "result"})

    result.attrib.pop("id", None)

    return result


def _served(iq: Element, *, to_domain: bool) -> Element:
    return Element(IQ, {"from": iq.get("to", ""), "to": iq.get("from", ""), "id": iq.get("id", ""), "type": "result"})


def _unchecked(iq: Element) -> StanzaCondition | None:
    # Without a child there is nothing that could be looked at: the request is refused, for another reason.
    return StanzaCondition.SERVICE_UNAVAILABLE if len(iq) != 1 or iq.get("id") is None else None


def _answers(iq: Element) -> StanzaCondition | None:
    return fault_of_iq(iq) or (StanzaCondition.BAD_REQUEST if iq.get("type") in ("result", "error") else None)


def _as_chat(type_: str, *arguments: Any, **options: Any) -> str:
    return fate_of_message("chat" if type_ == "groupchat" else type_, *arguments, **options)


def _kept_headlines(type_: str, *arguments: Any, **options: Any) -> str:
    return fate_of_message("chat" if type_ == "headline" else type_, *arguments, **options)


def _wrongly(*arguments: Any, **options: Any) -> str:
    fate = fate_of_message(*arguments, **options)

    return fate if fate == DELIVER else StanzaCondition.ITEM_NOT_FOUND


STANZAS: tuple[Mutant, ...] = (
    # Addresses on streams
    Mutant(
        "one-refusal-for-all",
        "Closes the stream with not-authorized, whatever is wrong with the addresses.",
        replace(RIGHT, refusal_of_stanza=lambda *_: StreamCondition.NOT_AUTHORIZED),
    ),
    Mutant(
        "senders-unchecked",
        "Lets partners speak for everybody.",
        # The front end asks once more whether the domain is a partner's.
        replace(
            RIGHT,
            pair_is_valid=_of_any_sender,
            access=replace(RIGHT.access, partner_is_closed=lambda *_, **__: None),
        ),
    ),
    Mutant(
        "targets-unchecked",
        "Takes stanzas for any domain from a partner.",
        replace(RIGHT, pair_is_valid=_to_any_target),
    ),
    Mutant(
        "compares-addresses-as-text",
        "Knows the domains of a pair in one spelling.",
        replace(RIGHT, pair_of_stanza=_as_text),
    ),
    Mutant(
        "compares-senders-with-the-domain",
        "Expects the sender to be the domain.",
        replace(RIGHT, pair_of_stanza=_whole_sender),
    ),
    Mutant(
        "every-bounce-is-internal",
        "Says internal-server-error, whatever kept a stanza from leaving.",
        replace(RIGHT, bounce_condition=lambda _: StanzaCondition.INTERNAL_SERVER_ERROR),
    ),
    # Requests
    Mutant(
        "requests-unanswered",
        "Leaves requests alone.",
        _inside(
            result_of_iq=lambda iq, to_domain: None,
            condition_for_request=lambda known: None,
            fault_of_iq=lambda iq: None,
        ),
    ),
    Mutant(
        "tells-who-exists",
        "Answers requests to users who exist with another error.",
        _inside(
            condition_for_request=lambda known: (
                StanzaCondition.FORBIDDEN if known else StanzaCondition.SERVICE_UNAVAILABLE
            )
        ),
    ),
    Mutant("errors-without-id", "Forgets the id of what it refuses.", _inside(error_for=_without_id)),
    Mutant("answers-without-id", "Forgets the id of what it answers.", _inside(result_of_iq=_result_without_id)),
    Mutant("serves-every-request", "Says yes to every request.", _inside(result_of_iq=_served)),
    Mutant("form-of-requests-unchecked", "Does not look at the form of requests.", _inside(fault_of_iq=_unchecked)),
    Mutant(
        "answers-are-answered",
        "Answers results and errors with errors.",
        _inside(fault_of_iq=_answers, error_for=_of_anything),
    ),
    # Messages
    Mutant(
        "errors-are-messages",
        "Treats reports of errors as messages.",
        _inside(is_error=lambda _: False, error_for=_of_anything),
    ),
    Mutant("groupchat-is-delivered", "Delivers groupchat to users.", _inside(fate_of_message=_as_chat)),
    Mutant("headlines-are-kept", "Treats headlines as chat.", _inside(fate_of_message=_kept_headlines)),
    Mutant(
        "messages-come-back-wrongly",
        "Answers what cannot be delivered with item-not-found.",
        _inside(fate_of_message=_wrongly),
    ),
    Mutant(
        "messages-come-back",
        "Refuses every message.",
        _inside(fate_of_message=lambda *_, **__: StanzaCondition.SERVICE_UNAVAILABLE),
    ),
    Mutant("messages-are-lost", "Drops every message.", _inside(fate_of_message=lambda *_, **__: IGNORE)),
)
