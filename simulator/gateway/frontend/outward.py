"""Requests of users inside, each handed to whoever serves its method or its dialog.

Knows methods, dialogs and how a refusal is written. Does not know what any request asks for.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.gateway.frontend.dialogs import Dialogs, Handler
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.refusal import Refused, phrase
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.gateway.frontend.translation import UnsupportedMedia
from simulator.sip.agent import Incoming
from simulator.sip.errors import SIPError
from simulator.sip.message import Request
from simulator.xmpp.address import Address


class Dispatcher:
    """What users ask for, by method (`serve`) and by dialog (`dialogs`).

    `speaks_for` says whether a connection is one of a user's (bare).
    """

    def __init__(self, rules: FrontEndRules, speaks_for: Callable[[Flow, Address], bool]) -> None:
        self._rules = rules
        self._handlers: dict[str, Handler] = {"OPTIONS": self._options}
        self.dialogs = Dialogs(speaks_for)

    def serve(self, method: str, handler: Handler) -> None:
        """From now on, requests with this method outside of open dialogs go to `handler`."""
        self._handlers[method] = handler

    @property
    def allow(self) -> tuple[str, str]:
        """The Allow header: the methods that are served."""
        return ("Allow", ", ".join(self._handlers))

    def handle(self, flow: Flow, incoming: Incoming) -> None:
        """Carry out a request, or refuse it."""
        try:
            self._handler(flow, incoming.request)(flow, incoming)
        except SIPError as error:
            headers = error.headers if isinstance(error, Refused) else ()

            if isinstance(error, UnsupportedMedia):
                # RFC 3261 §21.4.13: "The server MUST return a list of acceptable formats using the Accept [...]".
                headers = [("Accept", ", ".join(self._rules.readable)), ("Accept-Encoding", "identity")]

            flow.answer(incoming, error.code, phrase=phrase(str(error)), headers=headers)

    def _handler(self, flow: Flow, request: Request) -> Handler:
        refusal = self._rules.code_for_method(request.method, self._handlers)

        if refusal:
            # RFC 3261 §21.4.6: "The response MUST include an Allow header field".
            raise Refused(refusal, "", [self.allow] if refusal == 405 else [])

        # §8.2.2.3: an extension that is required and not understood is answered 420, naming it; but in a CANCEL such
        # headers "MUST be ignored", and an ACK, which has no answer, repeats what its INVITE required.
        required = [each for each in request.values("require") if each.lower() not in self._rules.extensions]

        if required and request.method not in ("ACK", "CANCEL"):
            raise Refused(420, "", [("Unsupported", ", ".join(required))])

        if request.to.tag is None:
            return self._handlers[request.method]

        found = self.dialogs.find(flow, request)

        # §12.2.2: whoever "does not wish to recreate the dialog [...] MUST respond to the request with a 481".
        if found is None and request.method in self._rules.methods_of_dialogs:
            raise Refused(481, "")

        return found or self._handlers[request.method]

    def _options(self, flow: Flow, incoming: Incoming) -> None:
        accept = ("Accept", ", ".join(self._rules.readable))
        flow.answer(incoming, 200, headers=[self.allow, accept, ("Accept-Encoding", "identity")])
