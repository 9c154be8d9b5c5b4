"""What an administrator can choose where the documents conflict or are silent about partners' users.

Knows the choices and argues their defaults. Does not know what they do.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Refusal(StrEnum):
    """What the sender outside learns of what was stopped."""

    SILENT = "silent"
    ERROR = "error"
    UNSUBSCRIBED = "unsubscribed"


class AuthorizationSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Choices about the users of partners.

    `public_verified_prompts`: whether a user inside is asked before somebody at a PublicVerified partner may see
    presence. The page of partner settings lets an invitation be "accepted" by the Lync user, which sounds like a
    question; "Configure XMPP gateway on Lync Server 2013" says that no authorization is needed. That page describes
    each type in more detail, so the default follows it: nobody is asked.

    `message_refusal`: what becomes of a message that somebody may not send. RFC 6120 §8.1.3 lets an entity "return a
    suitable stanza error"; a sender who hears nothing believes that it was read. The error is the one that a user who
    does not exist gets (RFC 6121 §8.5.1), so that it tells nobody who exists. `unsubscribed` is none for messages.

    `request_refusal`: what becomes of a subscribe that somebody may not send. RFC 6121 §8.5.1 demands silence where
    there is no such user, so only silence tells nobody who exists; and the request stays pending at its sender, to be
    sent again and granted once the user inside has added the contact. The other two say that there is somebody.
    """

    public_verified_prompts: bool = False
    message_refusal: Refusal = Refusal.ERROR
    request_refusal: Refusal = Refusal.SILENT
