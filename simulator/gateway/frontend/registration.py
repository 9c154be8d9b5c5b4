"""REGISTER of users inside (RFC 3261 §10.3).

Knows who may register. Does not know what a registration is good for.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.gateway.configuration import Configuration
from simulator.gateway.frontend.flow import Flow
from simulator.gateway.frontend.refusal import Refused
from simulator.gateway.frontend.registrar import Registrar
from simulator.gateway.frontend.rules import FrontEndRules
from simulator.sip.agent import Incoming


class Registration:
    """Serves REGISTER."""

    def __init__(
        self,
        configuration: Configuration,
        rules: FrontEndRules,
        registrar: Registrar[Flow],
        clock: Callable[[], float],
    ) -> None:
        self._configuration, self._rules, self._registrar, self._clock = configuration, rules, registrar, clock

    def handle(self, flow: Flow, incoming: Incoming) -> None:
        """Carry out a registration; raises SIPError."""
        request = incoming.request
        user = self._rules.address_of(request.to.uri).bare

        # §10.3 steps 3 to 5: whoever asks must be allowed to, and the address-of-record must be in our domain.
        if self._rules.address_of(request.sender.uri).bare != user:
            raise Refused(403, "Users register only themselves")

        if self._configuration.user(str(user)) is None:
            raise Refused(404, "")

        flow.answer(incoming, 200, headers=self._registrar.register(user, request, flow, self._clock()))
        self._registrar.announce()
