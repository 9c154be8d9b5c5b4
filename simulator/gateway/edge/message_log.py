"""What the log says of a message that crosses the edge. Pure.

Knows `EnableLoggingAllMessageBodies`. Does not know where the log is kept, nor what becomes of the message.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from simulator.xmpp.namespaces import SERVER

MESSAGE = f"{{{SERVER}}}message"
BODY = f"{{{SERVER}}}body"


def line_of_message(stanza: Element, *, bodies: bool) -> str | None:
    """The line for a message, in either direction; None for what is none.

    `Set-CsXmppGatewayConfiguration`: with `bodies` the content is logged, and otherwise "only the endpoints", who are
    the two addresses. All that somebody else wrote stands in quotes, with escapes for whatever would break the line.
    """
    if stanza.tag != MESSAGE:
        return None

    what = "error for a message" if stanza.get("type") == "error" else "message"
    line = f"{what} from {stanza.get('from')!r} to {stanza.get('to')!r}"
    said = [repr(body.text or "") for body in stanza.iterfind(BODY)] if bodies else []

    return f"{line}: {' '.join(said)}" if said else line
