"""Which dialog a request belongs to (RFC 3261 §12.2.2).

Knows Call-IDs, tags and connections. Does not know what a dialog is for.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.gateway.frontend.flow import Flow
from simulator.sip.agent import Incoming
from simulator.sip.message import Request

#: carries out a request, or raises SIPError with the code that answers it
Handler = Callable[[Flow, Incoming], None]


class Dialogs:
    """Open dialogs of the front end, each with the handler of its requests.

    A dialog lives on the connection that it was made over: a request over another, which may be another user's, finds
    no dialog, however well it knows the tags.
    """

    def __init__(self) -> None:
        self._handlers: dict[Flow, dict[tuple[str, str, str], Handler]] = {}

    def open(self, flow: Flow, call_id: str, *, local_tag: str, remote_tag: str, handler: Handler) -> None:
        """From now on, requests within this dialog go to `handler`. An open one of the same name is replaced.

        With an empty `remote_tag` any tag of the peer's will do: a NOTIFY may come before the answer that tells it.
        """
        self._handlers.setdefault(flow, {})[call_id, local_tag, remote_tag] = handler

    def close(self, flow: Flow, call_id: str, *, local_tag: str, remote_tag: str) -> None:
        """No request within this dialog is expected any more."""
        found = self._handlers.get(flow, {})
        found.pop((call_id, local_tag, remote_tag), None)

        if not found:
            self._handlers.pop(flow, None)

    def count(self, flow: Flow) -> int:
        """How many dialogs are open on a connection."""
        return len(self._handlers.get(flow, ()))

    def find(self, flow: Flow, request: Request) -> Handler | None:
        """The handler of the dialog that a request is sent within; None for a strange or closed one."""
        open_here = self._handlers.get(flow, {})
        local, remote = request.to.tag or "", request.sender.tag or ""

        return open_here.get((request.call_id, local, remote)) or open_here.get((request.call_id, local, ""))

    def forget_flow(self, flow: Flow) -> None:
        """The connection is gone, and its dialogs with it."""
        self._handlers.pop(flow, None)
