"""Which dialog a request belongs to (RFC 3261 §12.2.2).

Knows Call-IDs, tags, and whose a dialog is. Does not know what a dialog is for.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.gateway.frontend.flow import Flow
from simulator.sip.agent import Incoming
from simulator.sip.message import Request
from simulator.xmpp.address import Address

#: carries out a request, or raises SIPError with the code that answers it
Handler = Callable[[Flow, Incoming], None]


class Dialogs:
    """Open dialogs of the front end, each with the handler of its requests.

    RFC 3261 §12: a dialog is "identified by a Call-ID value, a local tag and a remote tag"; a connection is no part of
    that, and a user agent may open another. But there are no passwords here, and our tags can be guessed: so a
    request is of a dialog on the connection that it was made over, and on those where its user is registered too, which
    is what `speaks_for` says. On any other it finds no dialog, however well it knows the tags.
    """

    def __init__(self, speaks_for: Callable[[Flow, Address], bool]) -> None:
        self._speaks_for = speaks_for
        self._open: dict[tuple[str, str, str], dict[Flow, tuple[Address, Handler]]] = {}
        self._by_flow: dict[Flow, set[tuple[str, str, str]]] = {}

    def open(
        self, flow: Flow, call_id: str, *, local_tag: str, remote_tag: str, user: Address, handler: Handler
    ) -> None:
        """From now on, requests within this dialog of `user` (bare) go to `handler`, with the connection that they came
        over. An open one of the same name is replaced.

        With an empty `remote_tag` any tag of the peer's will do: a NOTIFY may come before the answer that tells it.
        """
        key = (call_id, local_tag, remote_tag)
        self._open.setdefault(key, {})[flow] = (user, handler)
        self._by_flow.setdefault(flow, set()).add(key)

    def close(self, flow: Flow, call_id: str, *, local_tag: str, remote_tag: str) -> None:
        """No request within this dialog is expected any more."""
        key = (call_id, local_tag, remote_tag)
        self._remove(flow, key)
        found = self._by_flow.get(flow, set())
        found.discard(key)

        if not found:
            self._by_flow.pop(flow, None)

    def count(self, flow: Flow) -> int:
        """How many dialogs were made over a connection."""
        return len(self._by_flow.get(flow, ()))

    def find(self, flow: Flow, request: Request) -> Handler | None:
        """The handler of the dialog that a request is sent within; None for a strange or closed one."""
        local, remote = request.to.tag or "", request.sender.tag or ""

        for tag in (remote, ""):
            found = self._open.get((request.call_id, local, tag), {})

            if flow in found:
                return found[flow][1]

            for user, handler in found.values():
                if self._speaks_for(flow, user):
                    return handler

        return None

    def forget_flow(self, flow: Flow) -> None:
        """The connection is gone, and its dialogs with it."""
        for key in self._by_flow.pop(flow, set()):
            self._remove(flow, key)

    def _remove(self, flow: Flow, key: tuple[str, str, str]) -> None:
        found = self._open.get(key, {})
        found.pop(flow, None)

        if not found:
            self._open.pop(key, None)
