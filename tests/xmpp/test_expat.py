"""Whatever expat the system has, no finished tag is kept back."""

from __future__ import annotations

from xml.parsers.expat import ParserCreate, XMLParserType

import pytest

from simulator.xmpp import expat
from simulator.xmpp.expat import DeferringExpatError, create_parser, keeps_back


def test_a_tag_that_came_in_pieces_is_reported_with_its_last_byte() -> None:
    assert not keeps_back(create_parser())


def test_every_length_of_pieces_is_reported_with_its_last_byte() -> None:
    tag = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

    for length in range(1, len(tag)):
        seen: list[str] = []
        parser = create_parser()
        parser.EndElementHandler = seen.append
        parser.Parse(b"<stream>", False)

        for at in range(0, len(tag), length):
            parser.Parse(tag[at : at + length], False)

        assert seen == ["urn:ietf:params:xml:ns:xmpp-tls}proceed"], length


def test_deferral_is_what_is_looked_for() -> None:
    parser = ParserCreate("UTF-8", "}")
    deferring = expat._deferral_is_on()

    if hasattr(parser, "SetReparseDeferralEnabled"):
        parser.SetReparseDeferralEnabled(True)
        deferring = True

    assert keeps_back(parser) == deferring


def _does_not_help(_: XMLParserType) -> None:
    pass


def _is_not_there(_: XMLParserType) -> None:
    raise AttributeError("undefined symbol: XML_SetReparseDeferralEnabled")


@pytest.mark.parametrize("switch_off", [_does_not_help, _is_not_there])
def test_an_expat_that_cannot_be_told_is_refused(monkeypatch: pytest.MonkeyPatch, switch_off: object) -> None:
    monkeypatch.setattr(expat, "keeps_back", lambda _: True)
    monkeypatch.setattr(expat, "_switch_off", switch_off)

    with pytest.raises(DeferringExpatError, match=r"use a Python whose xml\.parsers\.expat has"):
        expat._deferral_is_on.__wrapped__()
