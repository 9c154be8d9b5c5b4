"""The first message of a session, carried in a header of its INVITE, as Microsoft's clients do it.

Knows the header ``ms-text-format``: a media type whose parameter ``ms-body`` is the text in base64. Does not know
sessions.

A client whose INVITE holds one counts it as delivered when the 200 lists ``Supported: ms-text-format``, and sends it
again as a MESSAGE otherwise: whoever lists the option must have delivered it, and whoever does not must not have.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from simulator.sip.errors import SIPSyntaxError

HEADER = "ms-text-format"
#: the option tag in Supported that says: the header was read
OPTION = "ms-text-format"

_PARAMETER = re.compile(r';\s*([A-Za-z0-9\-.!%*_+`\'~]+)\s*=\s*("[^"]*"|[^;\s]*)')
_MEDIA_TYPE = re.compile(r"\s*([A-Za-z0-9\-.+]+/[A-Za-z0-9\-.+]+)\s*(;.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FirstMessage:
    """A message before its session."""

    media_type: str
    """In lower case."""
    charset: str
    """As written; UTF-8 when it says none."""
    body: bytes

    @property
    def content_type(self) -> str:
        """What the Content-Type of a MESSAGE with this body would say; font information (``msgr``) is left out."""
        return f"{self.media_type};charset={self.charset}"


def read_first_message(value: str) -> FirstMessage | None:
    """Read the header; None when it announces formats but holds no text. Raises SIPSyntaxError."""
    match = _MEDIA_TYPE.fullmatch(value)

    if match is None:
        raise SIPSyntaxError(f"{HEADER} is not a media type with parameters")

    parameters = {name.lower(): text.strip('"') for name, text in _PARAMETER.findall(match[2] or "")}
    encoded = parameters.get("ms-body")

    if encoded is None:
        return None

    try:
        # The clients leave the padding of ``msgr`` away; whoever does so here is understood, too.
        body = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SIPSyntaxError(f"ms-body of {HEADER} is not base64") from None

    return FirstMessage(match[1].lower(), parameters.get("charset") or "UTF-8", body)


def write_first_message(media_type: str, body: bytes) -> str:
    """The header's value for a body in UTF-8."""
    return f"{media_type}; charset=UTF-8;ms-body={base64.b64encode(body).decode('ascii')}"
