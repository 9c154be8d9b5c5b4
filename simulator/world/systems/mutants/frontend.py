"""Deliberate defects between SIP and XMPP: addresses, contents, errors (RFC 7247, RFC 7572).

Knows the rules of the front end that it breaks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from simulator.gateway.frontend.addressing import uri_of
from simulator.gateway.frontend.markup import XHTML_IM
from simulator.gateway.frontend.rules import condition_for_answer
from simulator.gateway.frontend.translation import BODY, LANG, SUBJECT, THREAD, Content, content_of, stanza_of
from simulator.gateway.rules import Rules
from simulator.sip.uri import parse_uri
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.address import Address
from simulator.xmpp.element import make_error
from simulator.xmpp.errors import StanzaCondition
from simulator.xmpp.namespaces import SERVER

RIGHT = Rules()


def _front_end(**changes: Any) -> Rules:
    """Rules whose front end decides otherwise."""
    return replace(RIGHT, frontend=replace(RIGHT.frontend, **changes))


def _naive_address(uri: str) -> Address:
    parsed = parse_uri(uri)

    return Address(parsed.user, parsed.host, parsed.parameters.get("gr") or "")


def _naive_uri(address: str) -> str:
    bare, _, resource = address.partition("/")

    return f"sip:{bare}" + (f";gr={resource}" if resource else "")


def _without_header(name: str) -> Any:
    def content(stanza: Element) -> Content | None:
        right = content_of(stanza)

        return right and replace(right, headers=tuple(pair for pair in right.headers if pair[0] != name))

    return content


def _without_thread(stanza: Element) -> Content | None:
    right = content_of(stanza)

    return right and replace(right, call_id="")


def _alone(stanza: Element) -> Content | None:
    """Only what consists of nothing but elements of the namespace of stanzas."""
    return content_of(stanza) if all(child.tag.startswith(f"{{{SERVER}}}") for child in stanza) else None


def _in_plain_letters(stanza: Element) -> Content | None:
    right = content_of(stanza)

    return right and replace(right, body=right.body.decode().encode("ascii", "replace"))


def _on_one_line(stanza: Element) -> Content | None:
    right = content_of(stanza)

    return right and replace(right, body=b" ".join(right.body.split()))


def _without(tag: str) -> Any:
    def stanza(*arguments: Any, **options: Any) -> Element:
        right = stanza_of(*arguments, **options)

        for child in right.findall(tag):
            right.remove(child)

        return right

    return stanza


def _without_language(*arguments: Any, **options: Any) -> Element:
    right = stanza_of(*arguments, **options)
    right.attrib.pop(LANG, None)

    return right


def _as_chat(*arguments: Any, **options: Any) -> Element:
    right = stanza_of(*arguments, **options)
    right.set("type", "chat")

    return right


def _out_in_plain_letters(*arguments: Any, **options: Any) -> Element:
    right = stanza_of(*arguments, **options)

    for body in right.iter(BODY):
        body.text = (body.text or "").encode("ascii", "replace").decode()

    return right


def _out_on_one_line(*arguments: Any, **options: Any) -> Element:
    right = stanza_of(*arguments, **options)

    for body in right.iter(BODY):
        body.text = " ".join((body.text or "").split())

    return right


def _cut_inside(stanza: Element) -> Content | None:
    right = content_of(stanza)

    return right and replace(right, body=right.body.partition(b"<")[0])


def _cut_outside(*arguments: Any, **options: Any) -> Element:
    right = stanza_of(*arguments, **options)

    for body in right.iter(BODY):
        body.text = (body.text or "").partition("<")[0]

    return right


def _another_condition(code: int, has_new_address: bool) -> StanzaCondition:
    right = condition_for_answer(code, has_new_address)

    return StanzaCondition.BAD_REQUEST if right == StanzaCondition.REDIRECT else StanzaCondition.REDIRECT


def _from_the_domain(stanza: Element, *arguments: Any, **options: Any) -> Element:
    error = make_error(stanza, *arguments, **options)
    error.set("from", error.get("from", "").partition("@")[2])

    return error


FRONT_END: tuple[Mutant, ...] = (
    # Addresses
    Mutant(
        "addresses-unescaped",
        "Takes user parts for local parts and back as they are.",
        _front_end(address_of=_naive_address, uri_of=_naive_uri),
    ),
    Mutant(
        "resources-are-lost",
        "Tells nobody which device a partner's user wrote from.",
        _front_end(uri_of=lambda address: uri_of(address.partition("/")[0])),
    ),
    Mutant("ids-are-lost", "Gives messages ids of its own.", _front_end(id_of=lambda _: "of-our-own")),
    Mutant(
        "everybody-is-registered",
        "Lets users write in each other's names.",
        _front_end(sender_is_registered=lambda *_: True),
    ),
    Mutant("sips-crosses", "Passes on what only TLS may carry.", _front_end(may_cross=lambda *_: True)),
    # Contents
    Mutant(
        "plain-letters-only",
        "Loses whatever is not ASCII.",
        _front_end(content_of=_in_plain_letters, stanza_of=_out_in_plain_letters),
    ),
    Mutant(
        "bodies-are-cut-at-markup",
        "Takes the first < for the end of the text.",
        _front_end(content_of=_cut_inside, stanza_of=_cut_outside),
    ),
    Mutant(
        "one-line-only",
        "Makes one line of every message.",
        _front_end(content_of=_on_one_line, stanza_of=_out_on_one_line),
    ),
    Mutant(
        "subjects-are-lost",
        "Loses subjects.",
        _front_end(content_of=_without_header("Subject"), stanza_of=_without(SUBJECT)),
    ),
    Mutant(
        "threads-are-lost",
        "Loses threads.",
        _front_end(content_of=_without_thread, stanza_of=_without(THREAD)),
    ),
    Mutant(
        "languages-are-lost",
        "Loses languages.",
        _front_end(content_of=_without_header("Content-Language"), stanza_of=_without_language),
    ),
    Mutant("payload-hides-the-body", "Drops messages with extensions.", _front_end(content_of=_alone)),
    Mutant("messages-are-chat", "Makes chat of every message of a SIP user.", _front_end(stanza_of=_as_chat)),
    Mutant(
        "markup-is-lost",
        "Sends the plain text of HTML only.",
        _front_end(stanza_of=_without(f"{{{XHTML_IM}}}html")),
    ),
    Mutant(
        "every-media-type",
        "Takes every body for text.",
        _front_end(readable=("text/plain", "text/html", "application/json", "message/cpim", "image/png")),
    ),
    Mutant("small-messages-only", "Refuses messages of more than 1300 bytes.", _front_end(message_limit=1300)),
    # Answers and errors
    Mutant(
        "answers-before-the-edge",
        "Accepts what may never leave.",
        _front_end(waits_for_edge=False),
    ),
    Mutant("one-code-for-all", "Answers every failure with 488.", _front_end(code_for_error=lambda *_, **__: 488)),
    Mutant(
        "another-condition",
        "Answers for SIP users with the wrong condition.",
        _front_end(condition_for_answer=_another_condition),
    ),
    Mutant("refusals-are-kept", "Tells partners nothing of refusals.", _front_end(returns_errors=False)),
    Mutant("errors-of-the-domain", "Sends errors in its own name.", _front_end(error_for=_from_the_domain)),
    Mutant(
        "silent-without-link",
        "Answers nothing while the link is down.",
        replace(
            _front_end(answers_when_link_is_down=False),
            is_answered=lambda _: False,
        ),
    ),
)
