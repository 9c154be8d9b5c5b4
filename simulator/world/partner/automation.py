"""What a partner's streams do by themselves: the receiving and the authoritative server of XEP-0220.

Knows what is answered, rightly or as the behaviour says. Does not know sockets, nor how stanzas of its users leave:
that is `partner.routes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from xml.etree.ElementTree import Element

from simulator.world.pace import bounded
from simulator.world.partner import words
from simulator.world.partner.greeting import footing_of, greet
from simulator.world.partner.negotiating import Refused
from simulator.world.partner.sasl import ABORT, AUTH, BEFORE_RESET, RESPONSE, answer_auth
from simulator.world.partner.securing import STARTTLS, TLSServer, answer_starttls
from simulator.world.partner.spelling import as_in_dns
from simulator.world.partner.stream import DIALBACK_METHOD, PartnerStream, StreamOver
from simulator.xmpp.events import StreamHeader
from simulator.xmpp.namespaces import DIALBACK, SERVER

RESULT, VERIFY = f"{{{DIALBACK}}}result", f"{{{DIALBACK}}}verify"
STANZAS = {f"{{{SERVER}}}{name}" for name in ("message", "presence", "iq")}

#: The domain that a misbehaving answer names instead of the right one.
OTHER_DOMAIN = "elsewhere.example"

#: Seconds that the authoritative server may take (XEP-0220 §2.1.1: a time-out MAY be imposed).
VERIFICATION_TIMEOUT = 5.0

#: What is done once an element is recorded, and why no step needs to account for it.
Reaction = tuple[str, Callable[[], None]]


class Server(TLSServer, Protocol):
    """What the automation needs of its partner."""

    holds_verification: bool

    def key(self, receiving: str, originating: str, stream_id: str) -> str:
        """The dialback key of this partner for a stream (XEP-0185)."""

    def asked_to_verify(self, stream: PartnerStream, element: Element) -> None:
        """A db:verify reached us; it is answered at once unless `holds_verification`."""

    def deliver(self, stanza: Element) -> None:
        """Hand a stanza to a user."""

    async def dial_to_verify(self, domain: str) -> PartnerStream:
        """Open a stream to the authoritative server of a domain, TLS included; raises OSError, Refused."""


def serve(server: Server, stream: PartnerStream) -> None:
    """Let an accepted stream run by itself."""
    stream.on_header = lambda header: _answer_header(server, stream, header)
    stream.on_element = lambda element: _react(server, stream, element)


def _answer_header(server: Server, stream: PartnerStream, header: StreamHeader) -> None:
    behaviour = stream.behaviour
    after, _, condition = behaviour.after_header.partition(" ")

    if stream.authenticated_by_sasl and behaviour.after_success != "features":
        if behaviour.after_success == "no-features":
            greet(stream, server.domains, features="")
        return

    # RFC 6120 §4.9.3.6: a domain that is not served is answered with host-unknown, 'from' being one that is.
    if header.to is not None and as_in_dns(header.to) not in server.domains:
        stream.send_header(words.header(behaviour, sender=server.domains[0], to=header.sender, stream_id=stream.own_id))
        stream.fail("host-unknown")
    elif after == "half":
        ours = words.header(behaviour, sender=header.to or server.domains[0], to=header.sender, stream_id=stream.own_id)
        stream.send_bytes(ours.text().encode()[:60])
        asyncio.get_running_loop().call_later(BEFORE_RESET, stream.drop, "reset")
    elif after:
        stream.send_header(
            words.header(behaviour, sender=header.to or server.domains[0], to=header.sender, stream_id=stream.own_id)
        )
        _end(stream, after, condition)
    else:
        greet(stream, server.domains)

        if behaviour.unsolicited and header.to and header.sender:
            stream.send_xml(words.dialback(behaviour, "result", sender=header.to, to=header.sender, type_="valid"))


def _react(server: Server, stream: PartnerStream, element: Element) -> Reaction | None:
    sender, to = element.get("from", ""), element.get("to", "")

    if element.tag in (RESULT, VERIFY) and not stream.behaviour.dialback:
        # RFC 6120 §4.9.3.24: a first-level child that is not understood.
        return "the partner knows no dialback", lambda: stream.fail("unsupported-stanza-type")

    if element.tag == RESULT and stream.behaviour.tls == "required" and not stream.tls:
        return "the partner demands TLS first", lambda: stream.fail("policy-violation")

    # XEP-0220 §2.2: on an inbound connection 'type' should not be set, neither on db:result nor on db:verify.
    if element.tag == RESULT and "type" not in element.attrib:
        return "the partner answers the key", lambda: server.spawn(_answer_result(server, stream, element))

    if element.tag == VERIFY and "type" not in element.attrib:
        return "the partner is asked to verify", lambda: server.asked_to_verify(stream, element)

    if element.tag == STARTTLS and not stream.securing:
        return "the partner answers <starttls/>", lambda: answer_starttls(server, stream)

    if element.tag in (AUTH, RESPONSE, ABORT):
        # Whoever tries what was not offered is answered, but nobody accounts for it.
        if words.offered_mechanisms(stream.behaviour, footing_of(stream)):
            return "the partner answers for SASL", lambda: answer_auth(server, stream, element)

        asyncio.get_running_loop().call_soon(answer_auth, server, stream, element)

    if element.tag in STANZAS and (domain_of(sender), domain_of(to)) in stream.verified:
        return "the partner takes it in", lambda: server.deliver(element)

    if element.tag in STANZAS:
        # XEP-0220 §2.1.1: no stanza before the pair is verified. Nobody accounts for it, so the scenario fails.
        asyncio.get_running_loop().call_soon(stream.fail, "not-authorized")

    return None


async def _answer_result(server: Server, stream: PartnerStream, asked: Element) -> None:
    behaviour = stream.behaviour
    sender, to = asked.get("from", ""), asked.get("to", "")
    outcome = behaviour.result

    if as_in_dns(to) not in server.domains:
        # XEP-0220 §2.2.1: a dialback error and not a stream error.
        outcome = "error item-not-found"
    elif outcome == "verify":
        outcome = await _verify(server, stream, asked)

    if behaviour.delay:
        await asyncio.sleep(behaviour.delay)

    if outcome == "valid" and behaviour.result_addresses == "right":
        stream.authenticated(DIALBACK_METHOD, sender, to)

    answer(stream, "result", asked, outcome, behaviour.result_addresses)

    # XEP-0220 §2.2.1: after "invalid", if no other valid domain pairs exist, the receiving server closes the stream.
    if outcome == "invalid" and not stream.verified:
        stream.close()

    if behaviour.after_result:
        _end(stream, behaviour.after_result, "")


async def _verify(server: Server, stream: PartnerStream, asked: Element) -> str:
    """Ask the authoritative server of the sender domain (XEP-0220 §2.1.2): valid, invalid or an error of §2.5."""
    sender, to = asked.get("from", ""), asked.get("to", "")
    line: PartnerStream | None = None

    try:
        async with bounded(VERIFICATION_TIMEOUT):
            line = await server.dial_to_verify(sender)
            key = (asked.text or "").strip()
            line.send_xml(words.dialback(line.behaviour, "verify", sender=to, to=sender, stream_id=stream.id, key=key))

            return await _verdict(line, sender, to, stream.id)
    except Refused as refused:
        return "error remote-server-not-found" if refused.condition == "host-unknown" else "error remote-server-timeout"
    except (StreamOver, TimeoutError):
        return "error remote-server-timeout"
    except OSError:
        return "error remote-connection-failed"
    finally:
        # XEP-0220 §2.1.2: a connection for the sole purpose of verification SHOULD be closed immediately.
        if line:
            line.close()


async def _verdict(line: PartnerStream, sender: str, to: str, stream_id: str) -> str:
    while True:
        answered = (await line.next_element()).element

        # XEP-0220 §2.1.2: 'from', 'to' and 'id' must correlate to a request sent over the same stream.
        if answered.tag == VERIFY and (answered.get("from"), answered.get("to"), answered.get("id")) == (
            sender,
            to,
            stream_id,
        ):
            kind = answered.get("type")

            return kind if kind in ("valid", "invalid") else "error remote-server-not-found"


def judge_key(server: Server, asked: Element) -> str:
    """What an honest authoritative server answers (XEP-0220 §2.2.2)."""
    receiving, originating = asked.get("from", ""), asked.get("to", "")

    if as_in_dns(originating) not in server.domains:
        return "error item-not-found"

    return (
        "valid" if (asked.text or "").strip() == server.key(receiving, originating, asked.get("id", "")) else "invalid"
    )


def answer_verification(server: Server, stream: PartnerStream, asked: Element, outcome: str = "") -> None:
    """Answer a db:verify as the behaviour says, or with `outcome`."""
    behaviour = stream.behaviour
    given = outcome or behaviour.verify
    given = judge_key(server, asked) if given == "honest" else given

    def say() -> None:
        answer(stream, "verify", asked, given, behaviour.verify_addresses)

        if behaviour.verify_twice:
            answer(stream, "verify", asked, behaviour.verify_twice)

    if behaviour.delay:
        asyncio.get_running_loop().call_later(behaviour.delay, say)
    else:
        say()


def answer(stream: PartnerStream, name: str, asked: Element, outcome: str, addresses: str = "right") -> None:
    """Answer db:result or db:verify with `outcome`: valid, invalid, error CONDITION, type WORD, never, close, reset."""
    what, _, detail = outcome.partition(" ")

    if what == "never":
        return

    if what in ("close", "reset"):
        _end(stream, what, "")
        return

    sender, to = asked.get("to", ""), asked.get("from", "")
    stream_id = asked.get("id")
    sender, to = (to, sender) if addresses == "swapped" else (sender, to)
    sender = OTHER_DOMAIN if addresses == "other-from" else sender
    to = OTHER_DOMAIN if addresses == "other-to" else to
    stream_id = f"{stream_id}-other" if addresses == "other-id" else stream_id
    type_ = detail if what == "type" else what
    condition = detail if what == "error" else ""
    stream.send_xml(
        words.dialback(
            stream.behaviour, name, sender=sender, to=to, stream_id=stream_id, type_=type_, condition=condition
        )
    )


def _end(stream: PartnerStream, how: str, condition: str) -> None:
    if how == "error":
        stream.fail(condition)
    elif how == "close":
        stream.close()
    else:
        # What was written leaves first: the bytes are part of the misbehaviour.
        asyncio.get_running_loop().call_later(BEFORE_RESET, stream.drop, "reset")


def domain_of(address: str) -> str:
    """The domain of an address, lower case."""
    return address.split("/", 1)[0].rsplit("@", 1)[-1].lower()
