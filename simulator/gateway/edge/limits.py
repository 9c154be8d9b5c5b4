"""Decisions about how many streams there may be, how long they live, and what they are used for. Pure.

Knows the gateway's and the partners' settings. Does not know clocks or connections. Durations are in seconds.
"""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element

from msgspec.structs import replace as replace_settings

from simulator.gateway.partner import AllowedPartner
from simulator.gateway.settings import EdgeSettings, GatewaySettings
from simulator.xmpp.errors import StreamCondition
from simulator.xmpp.limits import Limits

#: bytes of one element, from somebody who may be anybody; RFC 6120 §13.12 lets no limit be below 10,000
STRANGER_BYTES = 16_384


def connection_is_allowed(existing: int, limit: int) -> bool:
    """Whether one more connection may be added to the existing ones."""
    return existing < limit


def establishment_timeout(settings: GatewaySettings) -> float | None:
    """How long a stream may take to be authenticated; None for ever."""
    return settings.stream_establishment_timeout


def is_handed_over(place: int, acknowledged: int) -> bool:
    """Whether a message that ends at this place among the bytes of its connection has arrived at the partner's host."""
    return place <= acknowledged


def stream_stays(old: AllowedPartner, new: AllowedPartner | None) -> bool:
    """Whether a stream may go on that began when its partner's settings were `old`; None: it is no partner any more.

    What was negotiated under other settings would be none of the administrator's choice. A description concerns no
    stream, nor does the partner's type, which is about users.
    """
    return new is not None and new == replace_settings(old, description=new.description, partner_type=new.partner_type)


def farewell_to_former(new: AllowedPartner | None) -> StreamCondition | None:
    """The stream error for a partner whose settings have changed: none, so that it comes back under the new ones.

    RFC 6120 §4.9.3.14: policy-violation, where it is to come back no more: "the entity has violated some local service
    policy".
    """
    return StreamCondition.POLICY_VIOLATION if new is None else None


def limits_of_strangers(limits: Limits) -> Limits:
    """What may be sent on a stream on which no domain is authenticated yet.

    Large stanzas cost us many times their size, while they are read and when they are held in pieces: whoever wants
    to send them shall say who he is.
    """
    return replace(limits, stanza_bytes=min(limits.stanza_bytes, STRANGER_BYTES))


def closing_timeout(settings: EdgeSettings) -> float | None:
    """How long the peer's closing tag is awaited after ours (RFC 6120 §4.4: "a reasonable amount of time")."""
    return settings.closing_timeout


def inactivity_timeout(settings: GatewaySettings) -> float | None:
    """How long a stream may be idle; None for ever."""
    return settings.stream_inactivity_timeout


def keep_alive_timeout(settings: GatewaySettings, partner: AllowedPartner) -> float | None:
    """How long a partner may be silent on its stream; None for ever, when no keep-alives are expected of it."""
    return settings.keep_alive_interval if partner.enable_keep_alive else None


def tries_next_target() -> bool:
    """RFC 6120 §3.2.1: after a failure to connect "it repeats the process […] for the next FQDN"."""
    return True


def senders_share_stream(peer_handles_dialback_errors: bool) -> bool:
    """Whether a second domain of ours may use an existing stream: a peer that does not know dialback errors would
    close it, with all that is authorised on it, when the second is refused (XEP-0220 §2.5, §2.6)."""
    return peer_handles_dialback_errors


def queue_has_room(waiting: int, limit: int) -> bool:
    """Whether one more stanza may wait for a stream (RFC 6120 §8.3.3.18: resource-constraint where it may not)."""
    return waiting < limit


def leaving_order(queue: list[Element]) -> list[Element]:
    """RFC 6120 §10.1: what waited for a stream leaves in the order in which it came."""
    return queue


def stream_is_reused() -> bool:
    """RFC 6120 §10.4.1: a stanza takes the stream that "already exists between the two domains"."""
    return True


def takes_stanzas_outbound() -> bool:
    """RFC 6120 §4.5: streams between servers are unidirectional; stanzas on a stream that we opened do not count."""
    return False


def farewell() -> StreamCondition | None:
    """What open streams are told when the gateway stops (RFC 6120 §4.9.3.20)."""
    return StreamCondition.SYSTEM_SHUTDOWN
