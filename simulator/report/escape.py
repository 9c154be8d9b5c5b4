"""Whatever a system sent is hostile when it is drawn: here it becomes harmless text.

Knows characters. Does not know terminals' markup: reports print this text as text.
"""

from __future__ import annotations

import re

_LINE_ENDS = {"\r": "\\r", "\n": "\\n", "\t": "\\t"}
_REST = re.compile(r"[^ ]")


def harmless(text: str) -> str:
    """One line in which every character is seen: controls, direction marks, odd spaces and the like are written out.

    A backslash that was there already is doubled, so that nothing can pass for an escape.
    """
    if text.isprintable() and "\\" not in text:
        return text

    return _REST.sub(lambda match: _written(match[0]), text)


def shortened(text: str, width: int) -> str:
    """At most `width` (at least 12) characters; what is left out is counted."""
    if len(text) <= width:
        return text

    kept = width

    # The count stands in the room of what it counts, so it settles only after a turn or two.
    while kept + len(tail := f"… +{len(text) - kept}") > width:
        kept -= 1

    return text[:kept] + tail


def _written(character: str) -> str:
    if character == "\\":
        return "\\\\"

    if character.isprintable():
        return character

    code = ord(character)

    return _LINE_ENDS.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:04x}}}")
