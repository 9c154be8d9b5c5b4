"""What strangers may put into a body: whatever it is, it is read or refused, and never anything else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.batch import Batch, Part, parse_batch, parse_parts, write_batch, write_parts
from simulator.sip.contact_service import (
    ContactList,
    ListedContact,
    SetContact,
    parse_contacts,
    parse_operation,
    write_contacts,
    write_operation,
)
from simulator.sip.errors import SIPSyntaxError
from simulator.sip.pidf import Presence, PresenceTuple, parse_presence, write_presence
from simulator.sip.watchers import Watcher, parse_watchers, write_watchers

TUPLE = PresenceTuple(id="0", basic="open", show="away", availability=3500, contact="sip:a@b", priority=7)
MULTIPART, PARTS = write_parts(
    "sip:a@b", [Part("sip:c@d", "active", "", "a/b", b"x")], version=0, full=True, boundary="b.1"
)
#: a reader, and a document that it understands
READERS: list[tuple[Callable[[bytes], object], bytes]] = [
    (parse_presence, write_presence(Presence(entity="sip:a@b", tuples=(TUPLE,), notes=(("en", "x"),)))),
    (parse_batch, write_batch("sip:a@b", Batch(("sip:c@d",)))),
    (parse_operation, write_operation(SetContact("sip:c@d", "C", (1,)))),
    (parse_contacts, write_contacts(ContactList(1, ((1, "~"),), (ListedContact("sip:c@d"),)))),
    (parse_watchers, write_watchers("sip:a@b", [Watcher("sip:c@d")], 1)),
    (lambda body: parse_parts(MULTIPART, body), PARTS),
]
PIECES = st.sampled_from(
    [b"<", b">", b"/", b'"', b"&", b"\0", b"\xff", b"</", b"xmlns=", b"-1", b"9" * 20, b"\r\n", b"--b.1"]
)


@pytest.mark.parametrize(("read", "document"), READERS)
@given(st.data())
def test_damaged_document_is_read_or_refused(
    read: Callable[[bytes], object], document: bytes, data: st.DataObject
) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(document)))
        end = data.draw(st.integers(start, min(start + 30, len(document))))
        document = document[:start] + data.draw(PIECES | st.binary(max_size=4)) + document[end:]

    with suppress(SIPSyntaxError):
        read(document)


@pytest.mark.parametrize(("read", "document"), READERS)
@given(st.binary(max_size=80))
def test_noise_is_refused(read: Callable[[bytes], object], document: bytes, noise: bytes) -> None:
    with pytest.raises(SIPSyntaxError):
        read(b"\x01" + noise)


@given(st.text(max_size=60))
def test_content_type_is_read_or_refused(text: str) -> None:
    with suppress(SIPSyntaxError):
        parse_parts(f"multipart/related;{text}", PARTS)
