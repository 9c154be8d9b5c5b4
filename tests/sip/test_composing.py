"""isComposing documents and chat states, by the examples of RFC 3994 and the tables of RFC 7573 §6."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest

from simulator.sip.body import NotXML
from simulator.sip.composing import (
    TO_CHAT_STATE,
    TO_TYPING,
    ChatState,
    Composing,
    Typing,
    add_chat_state,
    chat_state_of,
    read_composing,
    read_keyboard,
    write_composing,
)

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <state>{}</state>
 <contenttype>text/plain</contenttype>
 <refresh>{}</refresh>
</isComposing>"""


@pytest.mark.parametrize(
    ("state", "refresh", "read"),
    [
        ("active", "90", Composing(Typing.ACTIVE, 90)),
        ("idle", "90", Composing(Typing.IDLE, 90)),
        # RFC 3994 leaves room for more states, none of which says that somebody types.
        ("pondering", "90", Composing(Typing.IDLE, 90)),
        (" active ", "soon", Composing(Typing.ACTIVE, 120)),
        ("active", "0", Composing(Typing.ACTIVE, 1)),
        ("active", "999999", Composing(Typing.ACTIVE, 3600)),
    ],
)
def test_document_is_read(state: str, refresh: str, read: Composing) -> None:
    assert read_composing(DOCUMENT.format(state, refresh).encode()) == read


@pytest.mark.parametrize("state", Typing)
def test_document_is_read_as_it_was_written(state: Typing) -> None:
    assert read_composing(write_composing(state)) == Composing(state)


@pytest.mark.parametrize("body", [b"", b"active", b"<isComposing/>", b"<!DOCTYPE a><a/>", b"<a:b/>"])
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(NotXML):
        read_composing(body)


@pytest.mark.parametrize(("status", "state"), [("type", Typing.ACTIVE), ("idle", Typing.IDLE)])
def test_keyboard_activity_is_read(status: str, state: Typing) -> None:
    body = f'<?xml version="1.0"?><KeyboardActivity><status status="{status}" /></KeyboardActivity>'

    assert read_keyboard(body.encode()).state is state


def test_other_documents_are_no_keyboard_activity() -> None:
    with pytest.raises(NotXML):
        read_keyboard(b"<status status='type'/>")


def test_tables_are_those_of_the_rfc() -> None:
    assert TO_CHAT_STATE == {"active": "composing", "idle": "active"}
    assert TO_TYPING == {"active": "idle", "inactive": "idle", "gone": None, "composing": "active", "paused": "idle"}


@pytest.mark.parametrize("state", ChatState)
def test_chat_state_of_a_message(state: ChatState) -> None:
    message = Element("{jabber:server}message")
    assert chat_state_of(message) is None

    add_chat_state(message, state)
    assert chat_state_of(message) is state


def test_same_name_elsewhere_is_no_chat_state() -> None:
    message = Element("{jabber:server}message")
    message.append(Element("{urn:else}gone"))
    message.append(Element("{http://jabber.org/protocol/chatstates}excited"))

    assert chat_state_of(message) is None
