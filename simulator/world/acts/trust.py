"""How the steps about TLS, certificates and SASL are played.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from simulator.scenario.model import Step
from simulator.wire.rough import renegotiate, truncate, write_beside
from simulator.world.acts.partners import known
from simulator.world.acts.streams import bytes_of, ended, fill_values, mapping, partner_of, stream_of, target, what_came
from simulator.world.partner.answer import Answer
from simulator.world.partner.greeting import greet, usual_header
from simulator.world.partner.negotiating import within
from simulator.world.partner.papers import Terms
from simulator.world.partner.partner import Partner
from simulator.world.partner.securing import ALERT, STARTTLS, proceed
from simulator.world.partner.shown import described
from simulator.world.partner.stream import EXTERNAL_METHOD, PartnerStream, StreamOver
from simulator.world.partner.trust_words import auth, encoded, response, starttls
from simulator.world.stage import Act, NotPlayable, Seen, Stage
from simulator.xmpp.element import parse_element
from simulator.xmpp.namespaces import SASL, TLS

#: A record of application data that no key has made (RFC 8446 §5.1).
GARBAGE = bytes.fromhex("17 03 03 00 20") + bytes(32)

#: Keys of a step that are no part of a header.
_NO_HEADER = ("header", "features")


async def starts_tls(stage: Stage, step: Step) -> Seen:
    """<starttls/>, <proceed/>, the handshake as the client, and the stream opened again."""
    stream, partner = stream_of(stage, step), partner_of(stage, step)
    given = fill_values(stage, mapping(step))
    terms = _terms(stage, step, partner)
    stream.send_xml(starttls() + str(given.get("inject", "")))

    async with stage.within(step, "the answer to <starttls/>, and TLS"):
        try:
            answer = await stream.next_element(within(TLS))
        except StreamOver:
            return Seen({"ended": ended(stream.ending)})

        if answer.element.tag != f"{{{TLS}}}proceed":
            if given.get("refused"):
                await stream.ended()

            return Seen({"xml": answer.xml, **what_came(stream)}, (answer.entry,))

        to = stream.pair[1] or target(stage, {})
        resumed = _session(partner, given)
        stream.secure(partner.papers.as_client(terms), _sni(given, to), resume=resumed)

        return Seen(await _as_client(stage, step, partner, stream, to), (answer.entry,))


async def opens_a_tls_connection(stage: Stage, step: Step) -> Seen:
    """Direct TLS, and the stream opened over it."""
    partner, given = partner_of(stage, step), fill_values(stage, mapping(step))
    to = target(stage, given)

    async with stage.within(step, "the connection and TLS"):
        try:
            stream = await partner.open_direct(
                step.label,
                to,
                _sni(given, to),
                _terms(stage, step, partner, direct=True),
                _session(partner, given),
            )
        except OSError as error:
            return Seen({"failed": str(error), "connected": False, "why": str(error)})

        return Seen(await _as_client(stage, step, partner, stream, to))


async def accepts_tls(stage: Stage, step: Step) -> Seen:
    """<starttls/>, <proceed/>, the handshake as the server, and the answer to the header that comes over it."""
    stream, partner = stream_of(stage, step), partner_of(stage, step)
    given = fill_values(stage, mapping(step))

    async with stage.within(step, "<starttls/>, and TLS"):
        try:
            asked = await stream.next_element(
                lambda waiting: next((at for at, xml in enumerate(waiting) if parse_element(xml).tag == STARTTLS), None)
            )
        except StreamOver:
            return Seen({"ended": ended(stream.ending)})

        if _said_more(stage, stream):
            return Seen({"failed": "something stood behind <starttls/> in the clear"}, (asked.entry,))

        await proceed(partner, stream, str(given.get("inject", "")), _terms(stage, step, partner))
        seen = await _shaken(stream)

        if "secured" in seen and given.get("restart") is not False:
            header = given.get("header")
            over = {} if not isinstance(header, Mapping) else fill_values(stage, header)
            await _answer(partner, stream, over, answers=header is not False, features=given.get("features"))
            seen |= what_came(stream)

    return Seen(seen, (asked.entry,))


async def accepts_a_restart(stage: Stage, step: Step) -> Seen:
    """The header with which the system begins a new stream, and our answer."""
    stream, partner = stream_of(stage, step), partner_of(stage, step)
    given = fill_values(stage, mapping(step))
    header = {key: value for key, value in given.items() if key not in _NO_HEADER}

    async with stage.within(step, "the header of a new stream"):
        await _answer(partner, stream, header, answers=given.get("header") is not False, features=given.get("features"))

    return Seen(what_came(stream))


async def restarts_the_stream(stage: Stage, step: Step) -> Seen:
    """A new header on the same connection."""
    stream, partner = stream_of(stage, step), partner_of(stage, step)
    given = fill_values(stage, mapping(step))
    header = {key: value for key, value in given.items() if key not in _NO_HEADER}

    async with stage.within(step, "the answer to the stream header"):
        to = stream.pair[1] or target(stage, {})
        await _open_again(stage, step, partner, stream, to, header, features=given.get("features") is not False)

    return Seen({"connected": True, **what_came(stream)})


async def sees_tls(stage: Stage, step: Step) -> Seen:
    """What the handshake showed, on the stream of that label or on the one that was secured last."""
    partner = partner_of(stage, step)

    async with stage.within(step, "TLS"):
        stream = partner.streams.get(step.label)

        while stream is None:
            secured = [one for one in partner.contacts if one.securing]
            stream = secured[-1] if secured else None

            if stream is None:
                await partner.changed()

        return Seen(await _shaken(stream))


async def breaks_tls(stage: Stage, step: Step) -> Seen:
    """What no TLS peer may do."""
    stream, how = stream_of(stage, step), step.argument

    if how == "truncation":
        stream.ending.by = stream.ending.by or "us"
        truncate(stream.connection)
    elif how == "renegotiation":
        try:
            renegotiate(stream.connection)
        except ValueError as error:
            raise NotPlayable(str(error)) from None

        stream.on_bytes = Answer()
    else:
        plaintext = f"<message from='{stream.pair[0]}' to='{stream.pair[1]}'/>".encode()
        data = {"plaintext": plaintext, "alert": ALERT, "garbage": GARBAGE}.get(str(how))
        repeat = int(how.get("repeat", 1)) if isinstance(how, Mapping) else 1
        data = bytes_of(stage, stream, how) * repeat if data is None else data

        if not stream.securing:
            # In place of the handshake: what comes back is TLS and nobody's XML.
            stream.on_bytes = Answer()

        stage.journal.record_bytes("sent", stream.actor, stream.label, data)
        write_beside(stream.connection, data)

    return Seen()


async def authenticates_with_external(stage: Stage, step: Step) -> Seen:
    """<auth/>, responses to challenges, <success/>, and the stream opened again."""
    stream, partner = stream_of(stage, step), partner_of(stage, step)
    given = fill_values(stage, mapping(step))
    identity = "=" if given.get("authzid") is None else encoded(str(given["authzid"]))
    first = None if given.get("authzid", "") is None else str(given.get("text", identity))
    stream.send_xml(auth(first, str(given.get("mechanism", "EXTERNAL"))))
    entries: list[int] = []

    async with stage.within(step, "the answer to <auth/>"):
        try:
            while True:
                answer = await stream.next_element(within(SASL))
                entries.append(answer.entry)

                if answer.element.tag != f"{{{SASL}}}challenge":
                    break

                stream.send_xml(response(identity))
        except StreamOver:
            return Seen({"ended": ended(stream.ending)}, tuple(entries))

        if answer.element.tag != f"{{{SASL}}}success":
            return Seen({"xml": answer.xml}, tuple(entries))

        sender, to = stream.pair[0], stream.pair[1] or target(stage, {})

        if given.get("restart") is not False:
            await _open_again(stage, step, partner, stream, to, _header(stage, given))

        stream.authenticated(EXTERNAL_METHOD, sender, to)
        partner.use_stream(stream, sender, to)

    # An end that follows success is no answer to <auth/>, and must not pass for a refusal.
    came = {key: value for key, value in what_came(stream).items() if key != "ended"}

    return Seen({"xml": answer.xml, **came}, tuple(entries), known(stream))


async def has_its_certificate_revoked(stage: Stage, step: Step) -> Seen:
    """The partner's certificates are on the authority's list from now on."""
    partner_of(stage, step).papers.revoke()

    return Seen()


# -- what they share


def _terms(stage: Stage, step: Step, partner: Partner, *, direct: bool = False) -> Terms:
    """How TLS is spoken: as the partner's options say, and the step above them."""
    try:
        return partner.papers.terms(stage.real(step.actor), direct=direct).changed(fill_values(stage, mapping(step)))
    except ValueError as error:
        raise NotPlayable(str(error)) from None


def _sni(given: Mapping[str, Any], to: str) -> str | None:
    named = given.get("sni", to)

    return None if named is None else str(named)


def _session(partner: Partner, given: Mapping[str, Any]) -> Any:
    """The TLS session of another stream, which the step wants to go on with."""
    if "resume" not in given:
        return None

    other = partner.streams.get(str(given["resume"]))
    session = other.connection.tls_session if other else None

    if session is None:
        raise NotPlayable(f"no TLS session can be had of a stream {given['resume']}")

    return session


def _header(stage: Stage, given: Mapping[str, Any]) -> dict[str, Any]:
    return fill_values(stage, given["header"]) if isinstance(given.get("header"), Mapping) else {}


def _said_more(stage: Stage, stream: PartnerStream) -> bool:
    """Whether anything, be it white space, has come behind <starttls/> (RFC 6120 §5.3.3)."""
    received = [entry for entry in stage.journal if entry.kind == "received" and entry.stream == stream.label]

    return not str(received[-1].data.get("text", "")).endswith(">")


async def _shaken(stream: PartnerStream) -> dict[str, Any]:
    """What the handshake showed, or why it failed."""
    try:
        info = await stream.secured()
    except StreamOver:
        return {"failed": stream.ending.tls or "the connection ended", "ended": ended(stream.ending)}

    return {"secured": {**described(info), "by": "us" if stream.dialed else "them"}}


async def _as_client(stage: Stage, step: Step, partner: Partner, stream: PartnerStream, to: str) -> dict[str, Any]:
    given = mapping(step)
    seen = await _shaken(stream)

    if "secured" in seen and given.get("restart") is not False:
        await _open_again(stage, step, partner, stream, to, _header(stage, given))
        seen |= what_came(stream)

    return seen


async def _open_again(
    stage: Stage,
    step: Step,
    partner: Partner,
    stream: PartnerStream,
    to: str,
    header: Mapping[str, Any],
    *,
    features: bool = True,
) -> None:
    """Send the header of a new stream and wait for what answers it, or for the end."""
    stream.restart()

    try:
        partner.open_stream(stream, to, header, sender=stage.real(step.actor))
    except ValueError as error:
        raise NotPlayable(str(error)) from None

    with suppress(StreamOver):
        await stream.arrived_header()

        if features:
            await stream.arrived_features()


async def _answer(
    partner: Partner, stream: PartnerStream, header: Mapping[str, Any], *, answers: bool, features: str | None
) -> None:
    try:
        await stream.arrived_header()
    except StreamOver:
        return

    if not answers:
        return

    stream.own_id = partner.stream_id()

    try:
        greet(stream, partner.domains, usual_header(stream, partner.domains).overridden(header), features)
    except ValueError as error:
        raise NotPlayable(str(error)) from None


ACTS: dict[str, Act] = {
    "starts TLS": starts_tls,
    "opens a TLS connection": opens_a_tls_connection,
    "accepts TLS": accepts_tls,
    "accepts a restart": accepts_a_restart,
    "restarts the stream": restarts_the_stream,
    "sees TLS": sees_tls,
    "breaks TLS": breaks_tls,
    "authenticates with EXTERNAL": authenticates_with_external,
    "has its certificate revoked": has_its_certificate_revoked,
}
