"""How the steps about one stream of a partner are played: dialling, saying, hearing, ending.

Knows verbs and what each reports. Does not judge what was seen: that is `verdict`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from simulator.scenario import take
from simulator.scenario.model import Step
from simulator.world.acts.barriers import QUIET_PERIOD, barrier, quiet_period, reverse_barrier
from simulator.world.partner.ending import Ending
from simulator.world.partner.negotiating import Refused, secure
from simulator.world.partner.partner import Partner
from simulator.world.partner.stream import PartnerStream, StreamOver
from simulator.world.stage import Act, NotPlayable, Seen, Stage, Unreached
from simulator.xmpp.element import serialize
from simulator.xmpp.events import StreamHeader
from simulator.xmpp.namespaces import DIALBACK

#: Keys of *connects* that are no part of the header.
NO_HEADER = ("domain", "features", "tls")


async def connects(stage: Stage, step: Step) -> Seen:
    """Dial, send the header, wait for header and features, or the end; over TLS where partner and system are able."""
    given = mapping(step)
    partner, to = partner_of(stage, step), target(stage, given)
    header = {key: value for key, value in fill_values(stage, given).items() if key not in NO_HEADER}

    async with stage.within(step, "the answer to the stream header"):
        try:
            sender = stage.real(step.actor)
            stream = await partner.dial(step.label, to, header, sender=sender)
        except OSError as error:
            return Seen({"connected": False, "why": str(error)})
        except ValueError as error:
            raise NotPlayable(str(error)) from None

        with suppress(StreamOver, Refused):
            await stream.arrived_header()

            if given.get("features") is not False:
                await stream.arrived_features()

                if given.get("tls") is not False:
                    await secure(partner, stream, sender, to, header)

    return Seen({"connected": True, **what_came(stream)})


async def opens_a_connection(stage: Stage, step: Step) -> Seen:
    """TCP and nothing else."""
    async with stage.within(step, "the connection"):
        try:
            await partner_of(stage, step).open(step.label, target(stage, mapping(step)))
        except OSError as error:
            return Seen({"connected": False, "why": str(error)})

    return Seen({"connected": True})


async def accepts_a_stream(stage: Stage, step: Step) -> Seen:
    """Take over the next stream that the system opens."""
    given = mapping(step)
    partner = partner_of(stage, step)
    header = {key: value for key, value in fill_values(stage, given).items() if key not in ("header", "features")}

    async with stage.within(step, f"a stream from the system to {partner.domain}"):
        try:
            stream = await partner.accept(
                step.label, header, answers=given.get("header") is not False, features=given.get("features")
            )
        except ValueError as error:
            raise NotPlayable(str(error)) from None
        except StreamOver:
            stream = partner.streams[step.label]

    return Seen(what_came(stream))


async def sends(stage: Stage, step: Step) -> Seen:
    """Send one element as it stands."""
    stream = stream_of(stage, step)
    stream.send_xml(fill(stage, str(step.argument), stream))

    return Seen()


async def sends_bytes(stage: Stage, step: Step) -> Seen:
    """Send bytes as they are, in segments if wanted."""
    stream = stream_of(stage, step)
    given = step.argument if isinstance(step.argument, Mapping) else {}
    data = bytes_of(stage, stream, step.argument)
    repeated = (data.replace(b"{number}", b"%d" % number) for number in range(1, int(given.get("repeat", 1)) + 1))
    stream.send_bytes(b"".join(repeated), int(given.get("split", 0)))

    async with stage.within(step, "the bytes to leave"):
        with suppress(StreamOver):
            await stream.sent()

    return Seen()


async def receives(stage: Stage, step: Step) -> Seen:
    """Wait for the next element that this step may take."""
    stream = stream_of(stage, step)

    async with stage.within(step, "an element"):
        try:
            arrived = await stream.next_element(
                lambda waiting: take.choose(stage.scenario, step, waiting, stage.captures, stage.cast)
            )
        except StreamOver:
            return Seen({"ended": ended(stream.ending)})

    if arrived.element.tag == f"{{{DIALBACK}}}result" and arrived.element.text:
        stream.key = arrived.element.text.strip()

    return Seen({"xml": arrived.xml}, (arrived.entry,))


async def receives_a_header(stage: Stage, step: Step) -> Seen:
    """The header of the system on this stream."""
    stream = stream_of(stage, step)

    async with stage.within(step, "a stream header"):
        with suppress(StreamOver):
            await stream.arrived_header()

    return Seen(what_came(stream))


async def receives_features(stage: Stage, step: Step) -> Seen:
    """The features of the system on this stream; where none are wanted, a later exchange shows that none came."""
    stream = stream_of(stage, step)
    consumed: tuple[int, ...] = ()

    async with stage.within(step, "the stream features"):
        with suppress(StreamOver):
            if step.argument not in (None, "none"):
                await stream.arrived_features()
            elif await stream.arrived_header() and stream.dialed:
                consumed = await barrier(stage, partner_of(stage, step), stream, target(stage, {}))

    return Seen(what_came(stream), consumed)


async def is_disconnected(stage: Stage, step: Step) -> Seen:
    """Wait for the end of the stream."""
    stream = stream_of(stage, step)

    async with stage.within(step, "the end of the stream"):
        ending = await stream.ended()

    return Seen({"ended": ended(ending)}, () if ending.entry is None else (ending.entry,))


async def closes_the_stream(stage: Stage, step: Step) -> Seen:
    """Say the closing tag and go on reading."""
    stream_of(stage, step).close()

    return Seen()


async def drops_the_connection(stage: Stage, step: Step) -> Seen:
    """End TCP without a word."""
    stream = stream_of(stage, step)
    stream.drop(str(step.argument or "fin"))

    async with stage.within(step, "the connection to be gone"):
        await stream.ended()

    return Seen()


async def stays_connected(stage: Stage, step: Step) -> Seen:
    """Prove by an exchange that the stream is still of use."""
    stream, partner = stream_of(stage, step), partner_of(stage, step)

    async with stage.within(step, "the answer to a control question on the same stream"):
        try:
            consumed = await (barrier if stream.dialed else reverse_barrier)(stage, partner, stream, target(stage, {}))
        except StreamOver:
            return Seen({"ended": ended(stream.ending)})

    return Seen({"ended": ended(stream.ending)} if stream.over else {"connected": True}, consumed)


async def has_received_nothing(stage: Stage, step: Step) -> Seen:
    """Let later exchanges on the partner's own streams come back first; elsewhere, wait and say how long."""
    partner = partner_of(stage, step)
    streams = [stream_of(stage, step)] if step.label else list(partner.streams.values())
    consumed: list[int] = []

    async with stage.within(step, "the answer to a control question"):
        for stream in streams:
            if stream.dialed and stream.header and not stream.connection.closed:
                try:
                    consumed.extend(await barrier(stage, partner, stream, target(stage, {})))
                except StreamOver:
                    continue

    if consumed and step.label:
        return Seen({}, tuple(consumed))

    # What the system opens by itself is no path of ours: there, only time can tell.
    await quiet_period(stage, partner.domain)

    return Seen({"quiet_s": QUIET_PERIOD}, tuple(consumed))


# -- what the acts of partners share


def bytes_of(stage: Stage, stream: PartnerStream, argument: Any) -> bytes:
    """Bytes that a step gives as text, or as {text}, {base64} or {hex}; raises NotPlayable."""
    given = argument if isinstance(argument, Mapping) else {"text": argument}

    try:
        if "base64" in given:
            return base64.b64decode(str(given["base64"]), validate=True)

        if "hex" in given:
            return bytes.fromhex(str(given["hex"]))

        return fill(stage, str(given["text"]), stream).encode()
    except (KeyError, ValueError, binascii.Error) as error:
        raise NotPlayable(f"these are no bytes: {error}") from None


def partner_of(stage: Stage, step: Step) -> Partner:
    """The partner that speaks for the actor, which may be one of its further domains; raises NotPlayable."""
    for partner in stage.partners.values():
        if step.actor in partner.names_in_scenario:
            return partner

    return stage.partner(step.actor)


def stream_of(stage: Stage, step: Step) -> PartnerStream:
    """The stream that the step is about; raises Unreached when no step has opened it."""
    partner = partner_of(stage, step)

    if step.label not in partner.streams:
        which = f"stream {step.label}" if step.label else "stream"
        raise Unreached(f"{step.actor} has no {which}: no step has opened or accepted it")

    return partner.streams[step.label]


def mapping(step: Step) -> dict[str, Any]:
    """The argument of a step whose argument is a mapping or nothing; raises NotPlayable."""
    if step.argument is None:
        return {}

    if not isinstance(step.argument, Mapping):
        raise NotPlayable(f"{step.verb} takes a mapping, not {step.argument!r}")

    return dict(step.argument)


def target(stage: Stage, given: Mapping[str, Any]) -> str:
    """The domain of the system that is looked up: ``domain``, else the domain of ``to`` if served, else the first."""
    domains = stage.scenario.domains
    to = str(given.get("to") or "")

    return stage.real(str(given.get("domain") or (to if to in domains else domains[0])))


def fill(stage: Stage, text: str, stream: PartnerStream | None = None) -> str:
    """Real names, captures, what is known of the stream (``{stream-id}``, ``{key}``), and where hosts are."""
    if stream:
        text = re.sub(r"\{stream[ -]id\}", lambda _: stream.id, text)

        if "key" not in stage.captures:
            text = text.replace("{key}", stream.key)

    if " of " in text:
        text = stage.real(text)

        for partner in stage.partners.values():
            text = partner.place_for_all(text)

    return stage.fill(text)


def fill_values(stage: Stage, given: Mapping[str, Any]) -> dict[str, Any]:
    """Fill every text of a mapping."""
    return {key: fill(stage, value) if isinstance(value, str) else value for key, value in given.items()}


def what_came(stream: PartnerStream) -> dict[str, Any]:
    """Header, features and end, as far as they came (see scenario.evidence.SEEN)."""
    seen: dict[str, Any] = {}

    if stream.header:
        seen["header"] = header_attributes(stream.header)

    if stream.features is not None:
        seen["features"] = serialize(stream.features).decode()

    if stream.over or stream.ending.condition:
        seen["ended"] = ended(stream.ending)

    return seen


def header_attributes(header: StreamHeader) -> dict[str, str]:
    """The attributes that a header has, by their names on the wire."""
    attributes = {
        "from": header.sender,
        "to": header.to,
        "id": header.id,
        "version": header.version,
        "xml:lang": header.lang,
        "xmlns": header.content_namespace,
        "xmlns:db": DIALBACK if header.dialback else None,
    }

    return {name: value for name, value in attributes.items() if value is not None}


def ended(ending: Ending) -> dict[str, Any]:
    """How a stream ended, as the judge reads it."""
    return {
        "condition": ending.condition or None,
        "text": ending.text or None,
        "closing_tag": ending.closing_tag,
        "tcp": ending.tcp or None,
        "by": ending.by or None,
        **({"tls": ending.tls} if ending.tls else {}),
        **({"close_notify": True} if ending.close_notify else {}),
    }


ACTS: dict[str, Act] = {
    "connects": connects,
    "opens a connection": opens_a_connection,
    "accepts a stream": accepts_a_stream,
    "sends": sends,
    "sends bytes": sends_bytes,
    "receives": receives,
    "receives a header": receives_a_header,
    "receives features": receives_features,
    "is disconnected": is_disconnected,
    "closes the stream": closes_the_stream,
    "drops the connection": drops_the_connection,
    "stays connected": stays_connected,
    "has received nothing": has_received_nothing,
}
