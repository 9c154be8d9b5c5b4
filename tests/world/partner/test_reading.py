"""A partner reads what comes across the restarts of a stream, however it is cut into pieces."""

from __future__ import annotations

import pytest

from simulator.world.partner.reading import Reader
from simulator.xmpp.events import StreamHeader
from simulator.xmpp.namespaces import SASL, STREAMS
from simulator.xmpp.parser import Parsed

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    b"id='s1' version='1.0'>"
)
SUCCESS = b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"


@pytest.mark.parametrize("cuts", [(), (len(SUCCESS),), (20,), (20, len(SUCCESS) + 3)])
def test_new_stream_may_begin_right_behind_success(cuts: tuple[int, ...]) -> None:
    reader, data = Reader(), SUCCESS + HEADER + b"<stream:features/>"
    assert [type(one) for one in reader.feed(HEADER)] == [StreamHeader]
    parsed: list[Parsed] = []

    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        parsed += reader.feed(data[start:end])

        if len(parsed) == 1:
            # What the partner does when it sees the success.
            reader.expect_renewal()

    assert [getattr(one, "tag", "header") for one in parsed] == [
        f"{{{SASL}}}success",
        "header",
        f"{{{STREAMS}}}features",
    ]
