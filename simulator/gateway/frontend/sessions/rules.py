"""Every decision about IM sessions, each a field that can be replaced to make a deliberate defect.

Knows what is decided. Does not know how it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum, auto

from simulator.gateway.frontend.refusal import Refused
from simulator.gateway.settings import FrontendSettings
from simulator.sip import composing, imdn
from simulator.sip.composing import TO_CHAT_STATE, TO_TYPING, ChatState, Typing
from simulator.sip.first_message import OPTION
from simulator.sip.message import Response
from simulator.sip.sdp import Description, Stream
from simulator.xmpp.address import Address

#: what a device may send within a session, in the order of preference
OFFERED = ("text/plain", "text/html", composing.MEDIA_TYPE)
#: longer texts do not ride in the header of an INVITE: 16 KiB is all that many user agents read of a head
LONGEST_FIRST_MESSAGE = 2048


class Carrier(Enum):
    """How a device is told that its contact types."""

    MESSAGE = auto()
    """isComposing (RFC 3994)."""
    INFO = auto()
    """KeyboardActivity, of Microsoft's clients."""


class Notice(Enum):
    """How a device is told that a message which was answered 200 was lost after all."""

    DISPOSITION = auto()
    """BENOTIFY with ``application/ms-imdn+xml``."""
    BYE = auto()
    """The session ends, and a Reason header says why (RFC 3326)."""


def refusal_of_offer(offered: Description) -> Refused | None:
    """What answers an offer that has no stream of messages for us (RFC 3261 §13.3.1.3: 488 with a Warning), or None."""
    stream = offered.chosen

    if stream is not None:
        # What we send is text/plain at least, as RFC 7572 §7 has it.
        return None if stream.accepts("text/plain") else _not_acceptable(305, "text/plain is what can be sent")

    if any(each.kind == "message" and each.port for each in offered.streams):
        return _not_acceptable(302, "Messages are carried by SIP itself, not by MSRP")

    return _not_acceptable(304, "Only sessions of messages cross to XMPP")


def _not_acceptable(code: int, text: str) -> Refused:
    return Refused(488, text, [("Warning", f'{code} gateway "{text}"')])


def uses_session(type_: str, *, methods: Set[str], open_: bool) -> bool:
    """Whether a message of this type goes to a device in a session rather than as a pager's.

    SIP has no such types (RFC 7572 Table 1), so the device decides: one that registered for INVITE, or has an open
    session with the sender. A headline is no part of a conversation.
    """
    return type_ != "headline" and (open_ or "INVITE" in methods)


def session_for(threads: Sequence[str], thread: str) -> int:
    """The number of the session that words of a contact belong to, of those that there are with some devices, by age.

    RFC 6121 §5.2.5: "the <thread/> element identifies the particular conversation thread to which a message belongs",
    and that of a session is its Call-ID (RFC 7573 §4). Words of no such thread are an answer to what was begun last.
    """
    return max(range(len(threads)), key=lambda number: (threads[number] == thread, number))


def falls_back(code: int) -> bool:
    """Whether a refused INVITE says that the device has no sessions, so that a MESSAGE without one may do.

    Method, option, media and version are the device's affair. All other codes are about the wish or the state of its
    user, which a MESSAGE would only disregard.
    """
    return code in (405, 415, 420, 421, 488, 501, 505, 606)


def stops_others(code: int) -> bool:
    """Whether an answer of one device ends the search at all (RFC 3261 §16.7 step 5: 2xx and 6xx)."""
    return 200 <= code < 300 or code >= 600


def ends_session(code: int) -> bool:
    """Whether an answer to a request within a session ends it.

    §12.2.1.2: "If the response for a request within a dialog is a 481 [...] or a 408 [...], the UAC SHOULD terminate
    the dialog." A connection that is gone (430) took its sessions along.
    """
    return code in (408, 430, 481)


def may_go_again(code: int) -> bool:
    """Whether a message that was answered so has surely not been shown and may go in another session: 481 alone."""
    return code == 481


def counts_as_delivered(response: Response) -> bool:
    """Whether the device has read the message that rode in the INVITE: it lists the option in its 200."""
    return OPTION in (each.lower() for each in response.values("supported"))


def states_are_sent(knows_states: bool | None) -> bool:
    """Whether chat states go to a contact, who `knows_states`, or does not, or has not written yet (None).

    XEP-0085 §5.1: before the first reply messages carry one; a contact who then replies without any gets no more.
    """
    return knows_states is not False


def typing_carrier(stream: Stream, allowed: Set[str]) -> Carrier | None:
    """How a device is told that its contact types, by the types that it accepts and the methods that it allows."""
    if stream.accepts(composing.MEDIA_TYPE):
        return Carrier.MESSAGE

    return Carrier.INFO if "INFO" in allowed else None


def notice_of_failure(stream: Stream) -> Notice:
    """How a device hears of an error that comes after its 200.

    RFC 7572 has no carrier for it. Microsoft's clients know one: whoever accepts ``application/ms-imdn+xml`` shows the
    message as not delivered, and the conversation goes on. For others the session ends: a message in the contact's
    name would put words into the contact's mouth, and silence would leave the user believing.
    """
    return Notice.DISPOSITION if stream.accepts(imdn.MEDIA_TYPE) else Notice.BYE


def idle_timeout(settings: FrontendSettings) -> float | None:
    """Seconds without a message after which a session ends (RFC 7573 §4, §6.1: "e.g., 10 minutes")."""
    return settings.session_idle_timeout


@dataclass(frozen=True)
class SessionRules:
    """What is decided about sessions; the defaults are right."""

    # -- opened by a user
    refusal_of_offer: Callable[[Description], Refused | None] = refusal_of_offer
    offered: tuple[str, ...] = OFFERED
    reads_first_message: bool = True
    """Whether the text in the header of an INVITE is delivered."""
    lists_first_message: Callable[[bool], bool] = lambda delivered: delivered
    """Whether the 200 lists ``ms-text-format``, called with whether the text was delivered."""
    waits_for_edge: bool = True
    """Whether an INVITE with a text is answered when the fate of that text is known."""
    most_sessions: int = 1000
    """Dialogs on one connection; an INVITE beyond them is answered 486."""
    repeats_2xx: bool = True
    """RFC 3261 §13.3.1.4: until the ACK, and the session ends when none comes."""
    cancelled_code: int = 487
    """RFC 3261 §9.2: what answers an INVITE that its user takes back."""

    # -- within a session, to the contact
    message_type: str = "chat"
    """RFC 7573 §5: a session is a chat."""
    thread_of: Callable[[str], str] = lambda call_id: call_id
    checks_sequence: bool = True
    """§12.2.2: a number lower than the last one is answered 500."""
    to_chat_state: Mapping[Typing, ChatState] = field(default_factory=lambda: TO_CHAT_STATE)
    composing_ends: bool = True
    """RFC 3994 §3.3: an active state that nobody refreshed is over, and the contact is told so."""
    states_are_sent: Callable[[bool | None], bool] = states_are_sent
    bye_is_gone: bool = True
    """RFC 7573 §6.1."""
    follows_resource: Callable[[Address, Address], Address] = lambda current, sender: sender
    """RFC 6121 §5.1: whoever wrote last is written to, by resource; called with the address now and the sender."""
    notice_of_failure: Callable[[Stream], Notice] = notice_of_failure

    # -- to a device
    uses_session: Callable[..., bool] = uses_session
    """Called as ``uses_session(type, methods=..., open_=...)``."""
    session_for: Callable[[Sequence[str], str], int] = session_for
    """Called with the threads of the sessions, of which there is one at least, and that of the words."""
    puts_first_message: Callable[[bytes], bool] = lambda body: len(body) <= LONGEST_FIRST_MESSAGE
    counts_as_delivered: Callable[[Response], bool] = counts_as_delivered
    stops_others: Callable[[int], bool] = stops_others
    falls_back: Callable[[int], bool] = falls_back
    sends_html: Callable[[Stream], bool] = lambda stream: bool(stream.accepted) and stream.accepts("text/html")
    to_typing: Mapping[ChatState, Typing | None] = field(default_factory=lambda: TO_TYPING)
    typing_carrier: Callable[[Stream, Set[str]], Carrier | None] = typing_carrier
    gone_is_bye: bool = True
    """RFC 7573 §6.1."""
    hears_last_words_out: bool = True
    """Whether that BYE waits until the device has answered what was said before.

    RFC 3261 §15.1.2 has a device answer 487 to what it has not answered yet when a BYE comes: words that it may have
    shown would go back to the contact as refused.
    """
    ends_session: Callable[[int], bool] = ends_session
    may_go_again: Callable[[int], bool] = may_go_again
    idle_timeout: Callable[[FrontendSettings], float | None] = idle_timeout
