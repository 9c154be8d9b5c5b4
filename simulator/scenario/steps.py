"""The verb table: every step that a scenario may hold, with its meaning, its argument and an example.

Knows what each verb says and which judge reads what it saw. How a verb is played is `world.acts`.
`s2sim steps` prints this table.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.scenario.administration_steps import ADMINISTRATION_VERBS
from simulator.scenario.hello_steps import HELLO_VERBS
from simulator.scenario.liveness_steps import LIVENESS_VERBS
from simulator.scenario.presence_steps import PRESENCE_VERBS
from simulator.scenario.trust_steps import TRUST_VERBS
from simulator.scenario.verb import ActorKind, ArgumentKind, Verb

__all__ = ["ENDS_THE_SYSTEM", "VERBS", "ActorKind", "ArgumentKind", "Verb", "register"]

_PARTNER: tuple[ActorKind, ...] = ("partner",)
_USER: tuple[ActorKind, ...] = ("user",)
_SYSTEM: tuple[ActorKind, ...] = ("system",)

_TABLE = (
    Verb(
        name="connects",
        actors=_PARTNER,
        says="Dials the system, sends a stream header and waits for the answer: header and features, or the end "
        "of the stream. The mapping overrides attributes of the header (null leaves one out); `raw` is a "
        "header as text, `domain` is the domain of the system that is looked up. A partner that is able to do TLS "
        "takes it where it is offered, unless `tls: false`.",
        example="gmail.com connects as second: {to: contoso.com, version: null}",
        expects="connection",
        argument="optional",
        keys=(
            "to",
            "from",
            "version",
            "id",
            "xml:lang",
            "xmlns",
            "xmlns:stream",
            "xmlns:db",
            "raw",
            "domain",
            "features",
            "tls",
        ),
        opens=True,
    ),
    Verb(
        name="opens a connection",
        actors=_PARTNER,
        says="Dials the system and says nothing: the bytes are the scenario's.",
        example="gmail.com opens a connection",
        expects="connection",
        argument="optional",
        keys=("domain",),
        opens=True,
    ),
    Verb(
        name="accepts a stream",
        actors=_PARTNER,
        says="Takes over the next stream that the system opens to this partner, up to and with its header: from "
        "here the partner does nothing on it by itself. The mapping is the answer header (null leaves an "
        "attribute out), `features` the features as XML; `header: false` answers nothing.",
        example="gmail.com accepts a stream as outgoing: {version: null}",
        argument="optional",
        keys=(
            "to",
            "from",
            "version",
            "id",
            *("xml:lang", "xmlns", "xmlns:stream", "xmlns:db", "raw"),
            "header",
            "features",
        ),
        opens=True,
    ),
    Verb(
        name="sends",
        actors=_PARTNER,
        says="Sends one element on the stream.",
        example="gmail.com sends: <presence from='juliet@gmail.com' to='alice@contoso.com'/>",
        argument="required",
        xml=True,
        stream=True,
    ),
    Verb(
        name="sends bytes",
        actors=_PARTNER,
        says="Sends bytes as they are: text, or {text}, {base64} or {hex}; `split: n` sends them in segments of "
        "n bytes, `repeat: n` sends them n times, each with its number for {number}.",
        example='gmail.com sends bytes: {text: "<message><!-- hidden --></message>", split: 1}',
        argument="required",
        keys=("text", "base64", "hex", "split", "repeat"),
        stream=True,
    ),
    Verb(
        name="receives",
        actors=("partner", "user"),
        says="Waits for the next element on the stream, or for the next stanza that reaches a user who speaks XMPP; it "
        "must match.",
        example="gmail.com receives: <db:result from='contoso.com' to='gmail.com' type='invalid'/>",
        expects="element",
        argument="required",
        xml=True,
        stream=True,
    ),
    Verb(
        name="receives a header",
        actors=_PARTNER,
        says="Holds the header that the system sent on this stream against the attributes named; null: it must "
        "be absent.",
        example="gmail.com receives a header: {from: contoso.com, to: gmail.com, id: '{id}', version: '1.0'}",
        expects="header",
        argument="required",
        keys=("from", "to", "id", "version", "xml:lang", "xmlns", "xmlns:db"),
        stream=True,
    ),
    Verb(
        name="receives features",
        actors=_PARTNER,
        says="Holds the features of this stream against a pattern: the whole <stream:features/>, or a list of "
        "features that must be among them; `none`: there must be none; {mechanisms}: of SASL there are these.",
        example="gmail.com receives features: [\"<dialback xmlns='urn:xmpp:features:dialback'>...</dialback>\"]",
        expects="features",
        argument="required",
        keys=("mechanisms",),
        stream=True,
    ),
    Verb(
        name="offers a dialback key",
        actors=_PARTNER,
        says="Sends <db:result/> with the right key for this stream (XEP-0220 §2.1.1). The mapping changes it: "
        "`key: wrong` or a key of one's own, other addresses, the key of another stream `id`.",
        example="gmail.com offers a dialback key: {key: wrong}",
        argument="optional",
        keys=("key", "to", "from", "id"),
        stream=True,
    ),
    Verb(
        name="is authenticated",
        actors=_PARTNER,
        says="Goes all the way: connects unless it has, uses TLS and SASL EXTERNAL where both are able to, "
        "else offers its key, answers the verification, is told that the key is valid. `method` says which it must be.",
        example="gmail.com is authenticated",
        expects="authenticated",
        argument="optional",
        keys=("to", "from", "version", "domain", "method"),
        opens=True,
        stream=True,
    ),
    Verb(
        name="negotiates",
        actors=_PARTNER,
        says="Goes as far as both can: inbound dials the system, outbound awaits what comes of the streams that the "
        "system opens. With `negotiation` in the head of the scenario the settings and the partner's abilities say "
        "what must come of it: a method, or `refused` and `at` which point `by` what with which `condition`.",
        example="gmail.com negotiates: {direction: inbound, outcome: dialback over TLS}",
        expects="negotiation",
        argument="optional",
        keys=("direction", "outcome", "at", "by", "condition", "back"),
        opens=True,
    ),
    Verb(
        name="is asked to verify",
        actors=_PARTNER,
        says="Waits for the <db:verify/> that the system sends to this partner as the authoritative server "
        "(XEP-0220 §2.1.2).",
        example="gmail.com is asked to verify: <db:verify from='contoso.com' to='gmail.com' id='{id}'>...</db:verify>",
        expects="element",
        argument="optional",
        default="<db:verify>...</db:verify>",
        xml=True,
        opens=True,
        stream=True,
    ),
    Verb(
        name="answers verification",
        actors=_PARTNER,
        says="Answers the last <db:verify/> that it was asked: valid, invalid, or the condition of an error; the "
        "mapping changes addresses and id.",
        example="gmail.com answers verification: {type: valid, id: another}",
        argument="optional",
        keys=("type", "condition", "from", "to", "id"),
        stream=True,
    ),
    Verb(
        name="is disconnected",
        actors=_PARTNER,
        says="Waits for the end of the stream: with a stream error of that condition; as {condition: null} "
        "without any; with no argument in whatever way but connection-timeout, with which whoever does nothing ends, "
        "too. How TCP ended is a note only: a reset where a FIN was expected is no failure.",
        example="gmail.com is disconnected: {condition: host-unknown, closing-tag: true}",
        expects="end",
        argument="optional",
        keys=("condition", "text", "closing-tag", "tcp", "close-notify"),
        stream=True,
    ),
    Verb(
        name="closes the stream",
        actors=_PARTNER,
        says="Sends </stream:stream> and goes on reading.",
        example="gmail.com closes the stream",
        stream=True,
    ),
    Verb(
        name="drops the connection",
        actors=_PARTNER,
        says="Ends TCP without a word: fin (default) or reset.",
        example="gmail.com drops the connection: reset",
        argument="optional",
        stream=True,
    ),
    Verb(
        name="stays connected",
        actors=_PARTNER,
        says="The stream is still of use: a later exchange on it comes back. On a stream that the system opened no "
        "such exchange exists: there a quiet period is recorded.",
        example="gmail.com stays connected",
        expects="connected",
        stream=True,
        proof="period",
    ),
    Verb(
        name="has received nothing",
        actors=("partner", "user"),
        says="Nothing has reached this actor that no step announced. A later exchange on the same path proves "
        "it; where there is no such path the quiet period is recorded.",
        example="alice@contoso.com has received nothing",
        expects="quiet",
        stream=True,
        proof="period",
    ),
    Verb(
        name="is not contacted",
        actors=("partner", "domain"),
        says="No connection was opened to this partner, apart from those that a step accepted; or none to that one of "
        "its hosts.",
        example="gmail.com is not contacted: alt1.xmpp-server.l.google.com",
        expects="uncontacted",
        argument="optional",
        proof="period",
    ),
    Verb(
        name="sends a message",
        actors=_USER,
        says="Sends an instant message. `extra` is XML that is put into the stanza; `content-type`, and `from` as a "
        "URI, are for users who speak SIP.",
        example="alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hello}",
        argument="required",
        keys=("to", "body", "type", "id", "subject", "thread", "xml:lang", "extra", "content-type", "from"),
    ),
    Verb(
        name="refuses messages",
        actors=_USER,
        says="From now on this user, who speaks SIP, or this device, answers every message with that code and does not "
        "show it; 0: does not answer at all. The mapping adds the phrase, or a Contact that is a URI.",
        example="alice@contoso.com refuses messages: {code: 302, contact: 'sip:alice@home.example'}",
        argument="required",
        keys=("code", "phrase", "contact"),
        needs=frozenset({"sip"}),
    ),
    Verb(
        name="receives a message",
        actors=_USER,
        says="Waits for the next thing that reaches the user, which must be this message; text is its body.",
        example="juliet@gmail.com receives a message: {from: alice@contoso.com, body: Hello}",
        expects="message",
        argument="required",
        keys=("from", "to", "body", "type", "id", "subject", "thread", "xml:lang", "xml"),
    ),
    Verb(
        name="is refused",
        actors=_USER,
        says="Waits for the error that answers what this user sent: a stanza error, or the final SIP response, "
        "which stands for each condition that RFC 7247 maps to its code. A list names several conditions of "
        "which one must be there; `diagnostics` is the number in the response's ms-diagnostics.",
        example="alice@contoso.com is refused: [remote-server-not-found, remote-server-timeout]",
        expects="refusal",
        argument="optional",
        keys=("condition", "code", "diagnostics", "type", "id", "from"),
    ),
    Verb(
        name="is accepted",
        actors=_USER,
        says="What this user sent was accepted: a final 2xx for SIP; for XMPP, a later exchange came back and no "
        "error before it.",
        example="alice@contoso.com is accepted",
        expects="accepted",
        argument="optional",
        keys=("id",),
    ),
    Verb(
        name="signs in",
        actors=_USER,
        says="Signs in, and shows presence as for *sets its presence*, unless `available: false`.",
        example="alice@contoso.com signs in",
        argument="optional",
        keys=("available", "show", "note", "priority"),
    ),
    Verb(name="signs out", actors=_USER, says="Signs out.", example="alice@contoso.com signs out"),
    Verb(
        name="publishes",
        actors=("DNS",),
        says="Adds records, as zone text; records of the same name and type give way.",
        example="DNS publishes: _xmpp-server._tcp.gmail.com. 60 IN SRV 5 0 5269 xmpp.gmail.com.",
        argument="required",
        keys=("*",),
    ),
    Verb(
        name="withdraws",
        actors=("DNS",),
        says="Removes the records of a name: all, or those of one type.",
        example="DNS withdraws: _xmpp-server._tcp.gmail.com SRV",
        argument="required",
        keys=("*",),
    ),
    Verb(
        name="answers",
        actors=("DNS",),
        says="From now on answers questions about a name with a fault: nxdomain, servfail, refused, silent, "
        "truncate, delay.",
        example="DNS answers: {_xmpp-server._tcp.gmail.com: servfail}",
        argument="required",
        keys=("*",),
    ),
    Verb(
        name="is asked",
        actors=("DNS",),
        says="The system asks the name server this question, or has done so.",
        example="DNS is asked: _xmpp-server._tcp.gmail.com SRV",
        expects="query",
        argument="required",
        keys=("name", "type", "transport"),
    ),
    Verb(
        name="is not asked",
        actors=("DNS",),
        says="Nobody has asked this question.",
        example="DNS is not asked: gmail.com A",
        expects="no-query",
        argument="required",
        keys=("name", "type", "transport"),
        proof="period",
    ),
    Verb(name="starts", actors=_SYSTEM, says="Starts, and is ready.", example="the system starts", expects="started"),
    Verb(
        name="refuses its settings",
        actors=_SYSTEM,
        says="Does not start, and says why: the text must be part of what it says.",
        example="the system refuses its settings: SASL or dialback must be enabled",
        expects="refused-settings",
        argument="optional",
        needs=frozenset({"configuration-errors"}),
    ),
    Verb(name="stops", actors=_SYSTEM, says="Is stopped; waits until it has ended.", example="the system stops"),
    Verb(
        name="is told to shut down",
        actors=_SYSTEM,
        says="Is asked to end in good order, and does not wait for it.",
        example="the system is told to shut down",
        needs=frozenset({"graceful-shutdown"}),
    ),
    Verb(
        name="link goes down",
        actors=_SYSTEM,
        says="Cuts the connection between front end and edge.",
        example="the system's link goes down",
        needs=frozenset({"link"}),
    ),
    Verb(
        name="link comes up",
        actors=_SYSTEM,
        says="Lets front end and edge meet again, and waits until they have.",
        example="the system's link comes up",
        needs=frozenset({"link"}),
    ),
)

#: name -> verb; plug-ins add theirs with `register`.
VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (*_TABLE, *PRESENCE_VERBS, *ADMINISTRATION_VERBS, *TRUST_VERBS, *HELLO_VERBS, *LIVENESS_VERBS)
}

#: After one of these the system may end without that being a failure.
ENDS_THE_SYSTEM = frozenset({"stops", "is told to shut down", "refuses its settings"})


def register(verbs: Iterable[Verb]) -> None:
    """Add verbs of a plug-in; raises ValueError for a name that is taken."""
    for verb in verbs:
        if verb.name in VERBS:
            raise ValueError(f"there is already a verb called {verb.name!r}")

        VERBS[verb.name] = verb
