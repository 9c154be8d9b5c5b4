"""What the type of a partner lets its users do, before and after a user inside has added them. Pure.

Knows the three types and the documented table. Does not know stanzas or contact lists.

"Configure XMPP gateway on Lync Server 2013" describes each type in full; "Create or edit an XMPP partner
configuration" has a shorter variant, which differs in one point (`AuthorizationSettings.public_verified_prompts`).

Only what comes in is governed by the type: what a user inside sends to a contact is free as soon as the gates are open,
and the contact's own server asks whom it likes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from simulator.gateway.access.authorization import AuthorizationSettings
from simulator.gateway.partner import PartnerType


class Action(StrEnum):
    """What a partner's user wants of a user inside."""

    SUBSCRIBE = "subscribe"
    SEE = "see"
    MESSAGE = "message"
    NOTE = "note"


#: the same, in the words of a log
WORDS = {
    Action.SUBSCRIBE: "ask for presence",
    Action.SEE: "see presence",
    Action.MESSAGE: "send messages",
    Action.NOTE: "see notes",
}


_FEDERATED, _VERIFIED, _UNVERIFIED = PartnerType.FEDERATED, PartnerType.PUBLIC_VERIFIED, PartnerType.PUBLIC_UNVERIFIED
_ADDED, _NOT_ADDED = True, False

#: (type, action, whether the user inside has the contact on the list) -> whether it is allowed
TABLE: Mapping[tuple[PartnerType, Action, bool], bool] = MappingProxyType(
    {
        # "Federated": the same enterprise, or a business relation of high trust: nothing is kept from it.
        (_FEDERATED, Action.SUBSCRIBE, _NOT_ADDED): True,
        (_FEDERATED, Action.SUBSCRIBE, _ADDED): True,
        (_FEDERATED, Action.SEE, _NOT_ADDED): True,
        (_FEDERATED, Action.SEE, _ADDED): True,
        (_FEDERATED, Action.MESSAGE, _NOT_ADDED): True,
        (_FEDERATED, Action.MESSAGE, _ADDED): True,
        (_FEDERATED, Action.NOTE, _NOT_ADDED): True,
        (_FEDERATED, Action.NOTE, _ADDED): True,
        # "Public verified": the provider is trusted to know its users. Notes are for colleagues.
        (_VERIFIED, Action.SUBSCRIBE, _NOT_ADDED): True,
        (_VERIFIED, Action.SUBSCRIBE, _ADDED): True,
        (_VERIFIED, Action.SEE, _NOT_ADDED): True,
        (_VERIFIED, Action.SEE, _ADDED): True,
        (_VERIFIED, Action.MESSAGE, _NOT_ADDED): True,
        (_VERIFIED, Action.MESSAGE, _ADDED): True,
        (_VERIFIED, Action.NOTE, _NOT_ADDED): False,
        (_VERIFIED, Action.NOTE, _ADDED): False,
        # "Public unverified": anybody may be behind the name, until a user inside vouches for it by adding it.
        (_UNVERIFIED, Action.SUBSCRIBE, _NOT_ADDED): False,
        (_UNVERIFIED, Action.SUBSCRIBE, _ADDED): True,
        (_UNVERIFIED, Action.SEE, _NOT_ADDED): False,
        (_UNVERIFIED, Action.SEE, _ADDED): True,
        (_UNVERIFIED, Action.MESSAGE, _NOT_ADDED): False,
        (_UNVERIFIED, Action.MESSAGE, _ADDED): True,
        # Never, even when authorised.
        (_UNVERIFIED, Action.NOTE, _NOT_ADDED): False,
        (_UNVERIFIED, Action.NOTE, _ADDED): False,
    }
)


def is_allowed(type_: PartnerType, action: Action, added: bool) -> bool:
    """Whether a partner's user may do this, to a user who has, or has not, added the contact."""
    return TABLE[type_, action, added]


def asks_user(type_: PartnerType, settings: AuthorizationSettings) -> bool:
    """Whether a subscribe that is allowed is put before the user; else it is granted at once.

    RFC 6121 §3.1.3 lets a server grant without asking where the user "accepted an agreement with its service provider
    that allows automatic approval (for instance, via an employment agreement within an enterprise deployment)".
    At a PublicUnverified partner there is nothing left to ask: adding the contact was the authorization, and before
    that no subscribe is allowed.
    """
    return type_ is PartnerType.PUBLIC_VERIFIED and settings.public_verified_prompts
