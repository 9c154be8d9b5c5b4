"""expat as a stream needs it: each tag is reported as soon as its last byte is there.

Knows expat's reparse deferral and how to switch it off. Does not know XMPP.

Since 2.6 (and in 2.5.0 as Debian 12 and others mended it for CVE-2023-52425) expat may sit on a tag that came in pieces
until more bytes follow, which on a stream may be never: who waits for an answer would wait for one that has arrived.
What deferral protects from, quadratic work for one endless tag, the limits of a stream bound.
"""

from __future__ import annotations

import ctypes
from functools import cache
from xml.parsers.expat import ParserCreate, XMLParserType


class DeferringExpatError(RuntimeError):
    """This Python's expat keeps finished tags back and cannot be told not to: no verdict could be trusted."""


def create_parser() -> XMLParserType:
    """A parser of UTF-8 that reports each tag at once, its name as ``namespace}local``; raises DeferringExpatError."""
    parser = _plain_parser()

    if hasattr(parser, "SetReparseDeferralEnabled"):
        parser.SetReparseDeferralEnabled(False)
    elif _deferral_is_on():
        _switch_off(parser)

    return parser


def keeps_back(parser: XMLParserType) -> bool:
    """Whether that parser, of which nothing else is wanted, sits on a tag that came in pieces and is complete."""
    seen: list[str] = []
    parser.StartElementHandler = lambda name, _: seen.append(name)

    for piece in (b"<root>", b"<half-of-a-tag", b" ", b"/>"):
        parser.Parse(piece, False)

    return "half-of-a-tag" not in seen


def _plain_parser() -> XMLParserType:
    return ParserCreate("UTF-8", "}")


@cache
def _deferral_is_on() -> bool:
    """Whether parsers defer here that have no method to change that; raises DeferringExpatError if nothing else can."""
    if not keeps_back(_plain_parser()):
        return False

    parser = _plain_parser()

    try:
        _switch_off(parser)
    except (OSError, AttributeError):
        pass
    else:
        if not keeps_back(parser):
            return True

    raise DeferringExpatError(
        "the expat of this Python keeps finished tags back and cannot be told not to; "
        "use a Python whose xml.parsers.expat has SetReparseDeferralEnabled (3.11.8, 3.12.3 or later, as released)"
    )


def _switch_off(parser: XMLParserType) -> None:
    """Call XML_SetReparseDeferralEnabled(parser, XML_FALSE) of libexpat; raises OSError or AttributeError without it.

    A pyexpat without a method for it was built for an expat that does not defer. If parsers defer all the same, then
    it is linked with the newer shared library of the system, and that is the one that gets its own parser here.
    """
    # In CPython a parser is the head that all objects have, and then the pointer to expat's own (`xmlparseobject`).
    pointer = ctypes.c_void_p.from_address(id(parser) + object.__basicsize__)
    ctypes.CDLL("libexpat.so.1").XML_SetReparseDeferralEnabled(pointer, ctypes.c_ubyte(0))
