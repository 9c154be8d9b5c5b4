"""Notices about messages that were lost after their 200, as [MS-CONFIM] prints them."""

from __future__ import annotations

import pytest

from simulator.sip.body import NotXML
from simulator.sip.imdn import Disposition, read_disposition, write_disposition

PRINTED = b"""<?xml version="1.0" encoding="utf-8"?>
<imdn xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.microsoft.com/rtc/2005/08/imdn">
<message-id>2</message-id><recipient uri="sip:bob@contoso.com"><status>408</status>
<entry><key>ms-diagnostics</key><value>6001</value></entry></recipient></imdn>"""


def test_printed_example_is_read() -> None:
    assert read_disposition(PRINTED) == Disposition("2", "sip:bob@contoso.com", 408)


def test_document_is_read_as_it_was_written() -> None:
    disposition = Disposition("7", "sip:juliet@gmail.com", 404)

    assert read_disposition(write_disposition(disposition)) == disposition


@pytest.mark.parametrize("body", [b"", PRINTED.replace(b"408", b"late"), PRINTED.replace(b"rtc/2005", b"rtc/2004")])
def test_other_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(NotXML):
        read_disposition(body)
