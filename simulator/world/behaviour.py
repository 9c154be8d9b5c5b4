"""How a partner behaves, as one value; and what a misbehaviour is: a sentence, and what it changes of that value.

Knows the fields and what each may be. The misbehaviours themselves are `quirks` and `trust_quirks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.xmpp.namespaces import SERVER, STREAMS


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Everything about a partner that may differ; the defaults are a well-behaved server of RFC 6120 and XEP-0220."""

    # The door: what happens to a TCP connection.
    door: str = "open"
    """open, refuses (RST: nobody listens), resets, closes, silent (accepts, then says nothing), says (the banner),
    direct (TLS comes before XMPP, as with `tls` direct)"""
    door_host: str = ""
    """The host whose door is meant; empty: all."""
    banner: str = ""

    # The stream header.
    version: str | None = "1.0"
    sends_to: bool = True
    sends_from: bool = True
    sends_id: bool = True
    stream_id: str | None = None
    """The id of every stream that reaches us; None: a fresh one each time."""
    declares_dialback: bool = True
    dialback_prefix: str = "db"
    prefix_free: bool = False
    content_namespace: str = SERVER
    stream_namespace: str = STREAMS
    after_header: str = ""
    """What follows our header at once: error CONDITION, close, reset, half (of a header, then reset)."""

    # Stream features, which exist from version 1.0 on only.
    features: str = "errors"
    """errors (XEP-0220 §2.4.2), dialback (without errors), empty, none (they never come), or XML."""

    # The receiving server: answers to db:result.
    result: str = "verify"
    """verify (dial back), valid or invalid (unseen), error CONDITION, type WORD, never, close, reset"""
    result_addresses: str = "right"
    """right, swapped, other-from, other-to"""
    unsolicited: bool = False
    """A db:result of type valid is sent before any was asked for."""
    after_result: str = ""
    """What follows the answer: close, reset."""

    # The authoritative server: answers to db:verify.
    verify: str = "honest"
    """honest, valid, invalid, error CONDITION, type WORD, never, close, reset"""
    verify_addresses: str = "right"
    """right, swapped, other-from, other-to, other-id"""
    verify_twice: str = ""
    """A second answer of this type follows the first."""

    # The initiating server.
    key: str = "right"
    """right, or wrong: keys that its own authoritative server denies"""
    vanishes: bool = False
    """The first stanza is cut in the middle, and the connection with it."""

    # Bytes.
    segment: int = 0
    """At most so many bytes leave in one piece; 0: as they come."""
    whitespace: str = ""
    """Sent before each first-level element."""
    delay: float = 0.0
    """Seconds before each automatic answer."""

    # The end.
    closes: bool = True
    """Whether </stream:stream> is answered."""

    # Users.
    whitelist: bool = False
    """Messages from strangers are dropped silently."""

    # What it is able to do: the options of a partner in a scenario.
    tls: str = "none"
    """none, optional (offered and used), required (nothing goes on without it), direct (TLS comes before XMPP)"""
    certificate: str = "valid"
    """A kind of the world's certificates, shown in both roles; none: the client shows none."""
    external: bool = True
    """Whether SASL EXTERNAL is offered and used, once TLS is there."""
    dialback: bool = True

    # TLS.
    offers_starttls: bool = True
    """Whether the features say what the partner is able to do."""
    offers_starttls_again: bool = False
    """Also over TLS, where nobody may offer it."""
    starttls: str = "proceed"
    """The answer to <starttls/>: proceed, failure, injected (plaintext behind <proceed/>), plaintext (goes on without
    TLS), never; or <proceed/> and then close, silence, and what follows the ClientHello: reset, alert, garbage"""
    least_tls: str = "TLSv1.2"
    most_tls: str = "TLSv1.3"
    ciphers: str = ""
    """For TLS up to 1.2, as OpenSSL writes them; empty: those of RFC 9325."""
    asks_for_certificate: bool = True
    keeps_sessions: bool = False
    """Whether TLS sessions may be resumed, by ticket (RFC 7590 §3.3)."""
    says_close_notify: bool = True
    sends_sni: bool = True

    # SASL EXTERNAL.
    mechanisms: str = "right"
    """right (EXTERNAL where the peer's certificate is good), stripped (no such feature), empty, or names"""
    mechanisms_before_tls: bool = False
    sasl: str = "honest"
    """The answer to <auth/>: honest, success (unseen), data (success with data), equals (success with "="), challenge
    (an empty one, then honest), failure CONDITION, closing CONDITION (failure, then the end), never, close, reset"""
    after_success: str = "features"
    """What follows the new header of the peer: features, no-features, silence"""

    @property
    def announces_dialback(self) -> bool:
        """Whether its headers declare the namespace of dialback (XEP-0220 §2.4.1)."""
        return self.dialback and self.declares_dialback


@dataclass(frozen=True)
class Quirk:
    """One misbehaviour: what it says to a reader, what it changes; ``{}`` in a value stands for its argument."""

    says: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    argument: str = ""
    """What stands after the colon; empty: nothing may. In brackets: it may be left out."""
