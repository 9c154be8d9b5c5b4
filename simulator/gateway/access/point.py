"""The one place that is asked on every crossing, in both directions: may this user and this contact do that?

Knows the configuration as it is now, and in which order the gates are asked. Does not know SIP, stanzas or contacts.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.gateway.access.authorization import Refusal
from simulator.gateway.access.gates import Closed, Gate
from simulator.gateway.access.partner_types import WORDS, Action
from simulator.gateway.access.rules import AccessRules
from simulator.gateway.access.site import find_site
from simulator.gateway.configuration import Configuration
from simulator.gateway.partner import AllowedPartner
from simulator.xmpp.address import Address
from simulator.xmpp.errors import StanzaCondition


class AccessPoint:
    """Answers from the configuration, whatever it has become since the last question.

    `partner_for` says who is a partner: one decision for the edge and for everybody who asks here.
    """

    def __init__(
        self,
        configuration: Configuration,
        rules: AccessRules | None = None,
        *,
        partner_for: Callable[[Configuration, str], AllowedPartner | None] = Configuration.partner_for,
    ) -> None:
        self._configuration, self._partner_for = configuration, partner_for
        self.rules = rules or AccessRules()

    def outbound(self, user: Address, contact: Address) -> Closed | None:
        """The first gate that stops what a user inside sends to a contact outside; None: it may go."""
        return next((closed for closed in self._gates(user, contact) if closed.gate in self.rules.asked_outward), None)

    def inbound(self, user: Address, contact: Address, action: Action, *, added: bool) -> Closed | None:
        """The first gate that stops what a contact outside does to a user inside, who need not exist; None: it may.

        `added`: the user has the contact on the list.
        """
        asked = self.rules.asked_inward
        found = next((closed for closed in self._gates(user, contact) if closed.gate in asked), None)

        if found is not None or Gate.AUTHORIZATION not in asked:
            return found

        partner = self._partner(contact)

        if partner is None or self.rules.is_allowed(partner.partner_type, action, added):
            return None

        who = "has added" if added else "has not added"
        why = f"{user.bare} {who} {contact.bare}, and users of {partner.partner_type} partners may not {WORDS[action]}"

        return self._closed(Gate.AUTHORIZATION, why)

    def asks_user(self, contact: Address) -> bool:
        """Whether a subscribe of this contact is put before the user; False: it is granted without asking."""
        partner = self._partner(contact)

        return partner is None or self.rules.asks_user(partner.partner_type, self._configuration.authorization)

    def shows_note(self, contact: Address) -> bool:
        """Whether this contact may see the note beside a user's presence."""
        partner = self._partner(contact)

        # Having been added changes nothing for notes.
        return partner is not None and self.rules.is_allowed(partner.partner_type, Action.NOTE, True)

    def answer_to_message(self, closed: Closed) -> StanzaCondition | None:
        """The condition that goes back to the sender outside of a message that was stopped; None: nothing does."""
        refusal = self.rules.message_refusal(closed.gate, self._configuration.authorization)

        return None if refusal is Refusal.SILENT else self.rules.condition_of(closed.gate)

    def answer_to_request(self, closed: Closed) -> Refusal:
        """How a subscribe that was stopped is refused; the condition of an error is `condition`'s."""
        return self.rules.request_refusal(closed.gate, self._configuration.authorization)

    def condition(self, closed: Closed) -> StanzaCondition:
        """The condition of an error stanza for what this gate stopped."""
        return self.rules.condition_of(closed.gate)

    def code(self, closed: Closed) -> int:
        """The final SIP response for what this gate stopped."""
        return self.rules.code_of(closed.gate)

    def _gates(self, user: Address, contact: Address) -> list[Closed]:
        """The closed ones of the four that need no contact list, in the order in which an administrator opens them."""
        rules, configuration = self.rules, self._configuration
        inside = configuration.user(str(user.bare))
        site = find_site(configuration.sites, inside.site) if inside is not None else None
        granted = inside.external_access_policy if inside is not None else None
        policy = rules.effective_policy(configuration.policies, granted, site.identity if site is not None else None)
        reasons = {
            Gate.ROUTE: rules.route_is_closed(configuration, inside),
            Gate.FEDERATION: rules.federation_is_closed(configuration),
            Gate.POLICY: rules.policy_is_closed(policy),
            Gate.PARTNER: rules.partner_is_closed(configuration, contact, allowed=self._partner(contact) is not None),
        }

        return [self._closed(gate, reason) for gate, reason in reasons.items() if reason is not None]

    def _closed(self, gate: Gate, reason: str) -> Closed:
        return Closed(gate, self.rules.diagnostics_of(gate), reason)

    def _partner(self, contact: Address) -> AllowedPartner | None:
        return self._partner_for(self._configuration, contact.domain)
