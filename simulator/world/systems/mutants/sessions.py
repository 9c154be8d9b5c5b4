"""Deliberate defects in sessions of instant messages (RFC 7572 §7, RFC 7573).

Knows the rules of sessions that it breaks.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from simulator.gateway.rules import Rules
from simulator.sip.composing import TO_CHAT_STATE, TO_TYPING, ChatState, Typing
from simulator.sip.errors import code_for_condition
from simulator.world.systems.mutants.mutant import Mutant

RIGHT = Rules()


def _front_end(**changes: Any) -> Rules:
    """Rules whose front end decides otherwise."""
    return replace(RIGHT, frontend=replace(RIGHT.frontend, **changes))


def _sessions(**changes: Any) -> Rules:
    """Rules whose sessions are otherwise."""
    return _front_end(sessions=replace(RIGHT.frontend.sessions, **changes))


def _own_thread(numbers: Any = itertools.count(1)) -> Any:  # noqa: B008 - one count for all is what is wanted
    return lambda call_id: f"{call_id}-{next(numbers)}"


SESSIONS: tuple[Mutant, ...] = (
    # What a session is
    Mutant("nobody-is-invited", "Opens no session for a contact.", _sessions(uses_session=lambda *_, **__: False)),
    Mutant("sessions-are-no-chats", "Sends normal messages from sessions.", _sessions(message_type="normal")),
    Mutant(
        "every-word-its-own-thread",
        "Gives each message of a session a thread of its own.",
        _sessions(thread_of=_own_thread()),
    ),
    Mutant("sessions-never-end", "Ends no session for silence.", _sessions(idle_timeout=lambda settings: None)),
    Mutant(
        "writes-to-the-first-device",
        "Writes to the contact's device of the first message for ever.",
        _sessions(follows_resource=lambda current, sender: current),
    ),
    Mutant(
        "threads-mean-nothing",
        "Takes whatever a contact says for an answer to what was begun first.",
        _sessions(session_for=lambda threads, thread: 0),
    ),
    # First words
    Mutant(
        "first-words-are-lost",
        "Says that it has delivered the words in an invitation, and does not.",
        _sessions(reads_first_message=False, lists_first_message=lambda delivered: True),
    ),
    Mutant(
        "first-words-leave-twice",
        "Delivers the words in an invitation, and does not say so.",
        _sessions(lists_first_message=lambda delivered: False),
    ),
    Mutant(
        "first-words-are-said-again",
        "Repeats what the device has read in the invitation.",
        _sessions(counts_as_delivered=lambda response: False),
    ),
    Mutant(
        "first-words-count-as-read",
        "Believes that every device has read what was in the invitation.",
        _sessions(counts_as_delivered=lambda response: True),
    ),
    # Who is typing
    Mutant(
        "nobody-types",
        "Tells contacts that a user who types does not.",
        _sessions(to_chat_state={**TO_CHAT_STATE, Typing.ACTIVE: ChatState.ACTIVE}),
    ),
    Mutant(
        "everybody-types",
        "Tells contacts that a user who has stopped types.",
        _sessions(to_chat_state={**TO_CHAT_STATE, Typing.IDLE: ChatState.COMPOSING}),
    ),
    Mutant(
        "typing-stays-outside",
        "Does not tell users that a contact types.",
        _sessions(to_typing={**TO_TYPING, ChatState.COMPOSING: None}),
    ),
    Mutant(
        "contacts-type-always",
        "Tells users that a contact types, whatever the state.",
        _sessions(to_typing={**dict.fromkeys(TO_TYPING, Typing.ACTIVE), ChatState.GONE: None}),
    ),
    Mutant(
        "states-for-everybody",
        "Sends chat states to contacts who know none.",
        _sessions(states_are_sent=lambda knows: True),
    ),
    # The end
    Mutant("sessions-outlive-their-contact", "Keeps a session whose contact left.", _sessions(gone_is_bye=False)),
    Mutant(
        "last-words-are-cut-off",
        "Ends the session of a contact who left before the device has answered the words.",
        _sessions(hears_last_words_out=False),
    ),
    Mutant("users-leave-in-silence", "Tells nobody that a user left.", _sessions(bye_is_gone=False)),
    # Contents and errors
    Mutant(
        "markup-stays-outside",
        "Shows devices plain text only.",
        _sessions(sends_html=lambda stream: False),
    ),
    Mutant(
        "rich-text-is-text",
        "Takes RTF for text.",
        _front_end(readable=("text/plain", "text/html", "text/rtf", "application/rtf")),
    ),
    Mutant("plain-text-is-refused", "Reads nothing but HTML.", _front_end(readable=("text/html",))),
    Mutant(
        "errors-are-believed-from-anybody",
        "Lets anybody who knows its id say that a message failed.",
        _front_end(may_report=lambda sender, to: True),
    ),
    Mutant(
        "every-address-is-bare",
        "Maps errors about devices as if they were about users.",
        _front_end(
            code_for_error=lambda condition, **options: code_for_condition(condition, **{**options, "full": False})
        ),
    ),
)
