"""A request that is understood and not carried out, and the one line that says why.

Knows the form of a refusal. Does not know who refuses what.
"""

from __future__ import annotations

from simulator.sip.errors import SIPError
from simulator.sip.message import HeaderList


class Refused(SIPError):  # noqa: N818 - says what happened
    """A request that is understood and not carried out; `code` and `headers` answer it."""

    def __init__(self, code: int, text: str, headers: HeaderList = ()) -> None:
        self.code, self.headers = code, headers
        super().__init__(text)


def diagnostics(number: int, reason: str, source: str) -> tuple[str, str]:
    """[MS-OCER] §2.2.1: the header that tells an administrator why, with the FQDN of the server that says so."""
    # RFC 3261 §25.1: a quoted-string holds neither of these two unescaped, and no control character.
    said = "".join(character for character in reason if character.isprintable() and character not in '"\\')

    return ("ms-diagnostics", f'{number};reason="{said}";source="{source}"')


def phrase(text: str) -> str:
    """RFC 3261 §25.1: a Reason-Phrase is one line; long explanations help nobody there."""
    return " ".join(text.split())[:120] if text.isprintable() else " ".join(filter(str.isprintable, text.split()))[:120]
