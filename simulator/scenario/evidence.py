"""The words in which a played step is put on record: what acts return, what the runner writes, what the verdict reads.

Knows names and shapes only. Who writes them is `world.acts` and `runner`; who judges them is `verdict`.

An act returns what it saw: a dictionary of plain JSON with the keys of `SEEN`. The runner writes it as a `step` entry
whose data are ``index``, ``part``, ``outcome`` (one of `OUTCOMES`), ``seen``, ``consumed`` (numbers of the journal's
entries that this step announced) and ``captures`` (every name known after it). When all steps are over it writes one
more `step` entry, ``part`` = `TEARDOWN`: what arrives later is no longer judged, and a journal without it is that of
a run that was cut.

Arrivals are judged, too. An `element` or `delivered` entry that no step consumed, that automation did not handle
(``handled`` in its data says why) and that no *may also receive* allows fails the scenario. So:

* headers and the awaited ``<features/>`` are not arrivals (``handled``: negotiation); a stream error and the closing
  tag are no `element` but make the `ended` entry;
* an `ended` entry that carries a condition, was begun by ``them`` and is neither consumed nor handled fails the
  scenario, too;
* ``delivered`` with ``what`` = ``accepted`` is an acknowledgement, ``contact`` is a change of the user's own contact
  list, ``output`` what the administrator's commands have printed: they may stay unconsumed;
* presence that says again what the user was shown before is no news, nor is the `unavailable` of somebody's bare
  address when no device of theirs was there (see `news`).

A `problem` entry whose actor is ``system`` is the system's death; any other is our own fault.

An act that waits for an arrival takes it with `take.choose`, so that it skips exactly what the verdict allows.
"""

from __future__ import annotations

from typing import Any

import msgspec

#: What a step may come to. Only ``done`` is compared with what was expected.
OUTCOMES = {
    "done": "the act came to its end: `seen` holds what it saw, wanted or not",
    "deadline": "its time ran out: seen {waiting_for: text, within: seconds}",
    "unsupported": "the system lacks a capability: seen {capability: name}",
    "unreached": "the act could not begin, for its stream or its partner's state was not there: seen {why: text}",
    "skipped": "an alternative ended the stream that this step is about",
    "problem": "our own fault: seen {text: what went wrong}",
}

#: The part of the closing `step` entry.
TEARDOWN = "teardown"


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a `step` entry."""

    part: str
    index: int
    outcome: str = "done"
    seen: dict[str, Any] | None = None
    consumed: list[int] = []
    captures: dict[str, str] | None = None


#: Keys of what an act saw.
SEEN = {
    "xml": "the first-level element that arrived, serialised",
    "header": "the stream header that arrived: from, to, id, version, xml:lang, xmlns, xmlns:db (absent: not there)",
    "features": "the <stream:features/> that arrived, serialised",
    "ended": "the stream is over: condition, text, closing_tag, tcp, by, tls, close_notify; instead of, or after, "
    "what was awaited",
    "connected": "whether the TCP connection came up; false has `why`",
    "delivered": "what reached the user, as in the `delivered` entry",
    "query": "the question that reached the name server: name, type, transport",
    "faults": "names of the counted faults that this step declared; each must appear as a `fault` entry",
    "secured": "what the TLS handshake showed, as in the `secured` entry",
    "failed": "why TLS failed instead",
    "answer": "what answered a ClientHello by hand: kind (hello, alert, none, plaintext) and its fields",
    "authenticated_by": "the method by which *is authenticated* went",
    "refusal": "the text with which the system refused its settings; absent: it started",
    "listed": "the entry of the contact list that was asked for, null: there is none",
    "subscription": "what can be seen of a subscription: state, contact_list, probe (answered, refused, silent), asked",
    "white_space": "whether white space came between elements",
    "after": "seconds from the white space before, or from the step before, to this",
    "presences": "how many presences have reached the user",
    "quiet_s": "seconds of quiet, where no barrier exists",
    "method": "the method by which the stream was authenticated",
    "refused": "where a negotiation ended: at, by, condition; then: the answer to a stanza that was sent all the same",
    "waiting_for": "what did not come before the deadline",
}

#: The judges: `Verb.expects` -> what they hold against each other.
EXPECTS = {
    "nothing": "the act itself: it must come to its end",
    "started": "the act itself: the system runs and accepts its settings",
    "connection": "the connection came up, and a header or an end of the stream came back",
    "header": "argument: mapping of attributes (null: absent) against `header`",
    "features": "argument: XML pattern, a list of patterns of features, or `none`, against `features`",
    "element": "argument: XML pattern against `xml`",
    "authenticated": "`xml` is a db:result of type valid or <success/>; argument: {method} against `authenticated_by`",
    "secured": "`secured`, and a `header` unless {restart: false}; not both with {refused: true or as for end}",
    "shown": "argument: mapping of fields of `secured`, and {names, certificate, resumed}",
    "external": "`xml` is <success/>; with {refused: condition, list of them, or true} a SASL <failure/>",
    "restarted": "`header` is there",
    "tls-answer": "argument: `hello`, `refused`, or mapping of the fields of `answer`",
    "end": "argument: condition, or mapping {condition, text, closing-tag, tcp, close-notify}, against `ended`",
    "message": "argument: body, or mapping of fields, against `delivered`",
    "refusal": "argument: condition, list of conditions, or mapping {condition, code, diagnostics, type, id}, against "
    "`delivered`; of its `diagnostics` the number alone",
    "accepted": "`delivered` says accepted",
    "subscription": "argument: mapping of fields, among them from and type, against `delivered`",
    "presence": "argument: mapping of fields, among them from, against `delivered`",
    "composing": "argument: mapping of fields, among them from and state, against `delivered`",
    "contact-list": "argument: mapping of fields, or {listed: false}, against `listed`",
    "state": "argument: {state} against `subscription`, whose parts must agree",
    "white-space": "`white_space`, and `after` no less than {after}; or no `white_space`, for the argument `none`",
    "count": "argument: mapping {presences}, which `presences` must not exceed",
    "told": "argument: text, or {error} or {output}, that `delivered` must hold",
    "quiet": "no arrival of this actor before this step's end that no step announced; proven by a barrier or `quiet_s`",
    "connected": "the stream is up, proven by a barrier",
    "uncontacted": "no connection that no step announced was opened to this actor",
    "query": "argument: name and type against the questions of the name server",
    "no-query": "no such question was asked",
    "negotiation": "argument: mapping {direction, outcome, at, by, condition} against `method` or `refused`; and the "
    "journal's `authenticated` and `secured` entries must say the same",
    "refused-settings": "argument: text that `refusal` must hold",
}
