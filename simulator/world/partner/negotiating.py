"""The initiating server: how far a partner gets with a stream that it dialled, by itself.

Knows in which order TLS, SASL EXTERNAL and dialback are tried (RFC 6120 §5 and §6, XEP-0178, XEP-0220), and what each
step met. Does not know who wants the stream.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar
from xml.etree.ElementTree import Element

from simulator.world.behaviour import Behaviour
from simulator.world.partner.ending import Arrived
from simulator.world.partner.papers import Papers
from simulator.world.partner.stream import DIALBACK_METHOD, EXTERNAL_METHOD, PartnerStream
from simulator.world.partner.trust_words import able_of_starttls, auth, encoded, response, starttls
from simulator.world.partner.waiting import Choice, StreamOver
from simulator.xmpp.element import parse_element
from simulator.xmpp.namespaces import DIALBACK, DIALBACK_FEATURE, SASL, TLS

RESULT = f"{{{DIALBACK}}}result"
DIALBACK_OFFERED = f"{{{DIALBACK_FEATURE}}}dialback"
HANDLED = "the partner negotiates by itself"

Came = TypeVar("Came")


class Origin(Protocol):
    """What negotiation needs of its partner."""

    behaviour: Behaviour
    papers: Papers

    def open_stream(
        self, stream: PartnerStream, to: str, header: Mapping[str, Any] | None = None, *, sender: str | None = None
    ) -> None:
        """Send our initial header."""

    def offer_key(self, stream: PartnerStream, sender: str, to: str) -> None:
        """Send db:result on a stream that the partner dialled."""


class Refused(Exception):  # noqa: N818 - says what happened, it need not be wrong
    """It did not come to stanzas: at which point, and by what."""

    def __init__(self, at: str, condition: str = "", arrived: Arrived | None = None) -> None:
        self.at = at
        """stream, TLS, SASL or dialback"""
        self.condition = condition
        """The condition of the failure or stream error; "not offered"; empty: the end without a word."""
        self.arrived = arrived
        """The element that refused it."""
        super().__init__(f"refused at {at}: {condition or 'without a word'}")


async def authenticate(
    origin: Origin, stream: PartnerStream, sender: str, to: str, header: Mapping[str, Any] | None = None
) -> Arrived:
    """Go from our header, already sent, to an authenticated pair; returns the element that said so. Raises Refused.

    `header` overrides parts of the headers that follow TLS and SASL. The caller bounds the wait.
    """
    behaviour = origin.behaviour
    await secure(origin, stream, sender, to, header)

    if behaviour.tls == "required" and not stream.tls:
        raise _given_up(stream, "TLS")

    failed: Refused | None = None

    if behaviour.external and stream.tls and "EXTERNAL" in mechanisms_of(stream.features):
        try:
            return await external(origin, stream, sender, to, header)
        except Refused as refused:
            # XEP-0178 §3: after a failure the initiating server may try dialback, where the stream still stands.
            if stream.connection.closed or stream.ending.closing_tag or not behaviour.dialback:
                raise

            failed = refused

    if not behaviour.dialback or not (behaviour.tls == "none" or offers_dialback(stream)):
        raise failed or _given_up(stream, "dialback" if behaviour.dialback else "SASL")

    return await dial_back(origin, stream, sender, to)


async def secure(
    origin: Origin,
    stream: PartnerStream,
    sender: str,
    to: str,
    header: Mapping[str, Any] | None = None,
    *,
    insists: bool = False,
) -> None:
    """Take TLS where both sides are able to, and open the stream again. Raises Refused.

    Who `insists` is not deterred by a peer that does not offer it (RFC 7590 §3.1).
    """
    features = await _over_means("stream", stream, stream.arrived_features())
    offered = offers(features, f"{{{TLS}}}starttls") or insists

    if stream.tls or not able_of_starttls(origin.behaviour) or not offered:
        return

    with negotiating(stream):
        stream.send_xml(starttls())
        answer = await _over_means("TLS", stream, stream.next_element(within(TLS)))

    if answer.element.tag != f"{{{TLS}}}proceed":
        raise Refused("TLS", "failure", answer)

    context = origin.papers.as_client(origin.papers.terms(sender))
    # RFC 7590 §3.5 and RFC 6066 §3: the name asked for is that of the domain, not that of its host.
    stream.secure(context, to if origin.behaviour.sends_sni else None)
    await _over_means("TLS", stream, stream.secured())
    await _open_again("TLS", origin, stream, sender, to, header)


async def external(
    origin: Origin, stream: PartnerStream, sender: str, to: str, header: Mapping[str, Any] | None = None
) -> Arrived:
    """SASL EXTERNAL without an authorization identity, and the stream opened again. Raises Refused."""
    with negotiating(stream):
        stream.send_xml(auth("="))
        answer = await _over_means("SASL", stream, stream.next_element(within(SASL)))

        while answer.element.tag == f"{{{SASL}}}challenge":
            # RFC 6120 §6.4.3: each challenge gets a response, here with the identity that nobody has named yet.
            stream.send_xml(response(encoded(sender)))
            answer = await _over_means("SASL", stream, stream.next_element(within(SASL)))

    if answer.element.tag != f"{{{SASL}}}success":
        raise Refused("SASL", sasl_condition(answer.element), answer)

    await _open_again("SASL", origin, stream, sender, to, header)
    stream.authenticated(EXTERNAL_METHOD, sender, to)

    return answer


async def dial_back(origin: Origin, stream: PartnerStream, sender: str, to: str) -> Arrived:
    """Offer the key and wait for its judgement. Raises Refused."""
    origin.offer_key(stream, sender, to)
    answer = await _over_means("dialback", stream, stream.next_element(answer_for(sender, to)))

    if answer.element.get("type") != "valid":
        raise Refused("dialback", str(answer.element.get("type") or ""), answer)

    stream.authenticated(DIALBACK_METHOD, sender, to)

    return answer


# -- what stands in features and answers


def offers(features: Element | None, name: str) -> bool:
    """Whether a feature is among those offered."""
    return features is not None and features.find(name) is not None


def offers_dialback(stream: PartnerStream) -> bool:
    """XEP-0220 §2.4: dialback is announced by the declaration in the header, or among the features."""
    declared = stream.header is not None and stream.header.dialback

    return declared or offers(stream.features, DIALBACK_OFFERED)


def mechanisms_of(features: Element | None) -> list[str]:
    """The SASL mechanisms that are offered."""
    found = [] if features is None else features.findall(f"{{{SASL}}}mechanisms/{{{SASL}}}mechanism")

    return [(mechanism.text or "").strip() for mechanism in found]


def sasl_condition(failure: Element) -> str:
    """The condition of a SASL failure (RFC 6120 §6.5)."""
    names = [child.tag.rpartition("}")[2] for child in failure]

    return next((name for name in names if name != "text"), "")


def within(namespace: str) -> Choice:
    """Choose the first element of a namespace."""

    def choose(waiting: list[str]) -> int | None:
        return next(
            (at for at, xml in enumerate(waiting) if parse_element(xml).tag.startswith(f"{{{namespace}}}")), None
        )

    return choose


def answer_for(sender: str, to: str) -> Choice:
    """Choose the db:result that answers the key of this pair."""

    def choose(waiting: list[str]) -> int | None:
        for at, xml in enumerate(waiting):
            element = parse_element(xml)
            pair = element.get("to", "").lower(), element.get("from", "").lower()

            if element.tag == RESULT and pair == (sender.lower(), to.lower()):
                return at

        return None

    return choose


@contextmanager
def negotiating(stream: PartnerStream) -> Iterator[None]:
    """Meanwhile no step needs to account for elements of TLS and SASL."""
    before, stream.accounted = stream.accounted, {**stream.accounted, TLS: HANDLED, SASL: HANDLED}

    try:
        yield
    finally:
        stream.accounted = before


async def _open_again(
    at: str, origin: Origin, stream: PartnerStream, sender: str, to: str, header: Mapping[str, Any] | None
) -> None:
    stream.restart()
    origin.open_stream(stream, to, header, sender=sender)
    await _over_means(at, stream, stream.arrived_features())


async def _over_means(at: str, stream: PartnerStream, awaited: Coroutine[Any, Any, Came]) -> Came:
    try:
        return await awaited
    except StreamOver:
        raise Refused(at, stream.ending.condition or stream.ending.tls) from None


def _given_up(stream: PartnerStream, at: str) -> Refused:
    stream.close()

    return Refused(at, "not offered")
