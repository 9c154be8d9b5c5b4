"""Deliberate defects in STARTTLS, direct TLS, and in TLS itself (RFC 6120 §5, RFC 9325, XEP-0368).

Knows the rules of negotiation that it breaks, one or two for each defect.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from simulator.gateway.edge import choosing, offering
from simulator.gateway.edge.offering import Standing
from simulator.gateway.negotiation import Negotiation
from simulator.gateway.rules import Rules
from simulator.gateway.settings import CertificateFiles
from simulator.wire import service
from simulator.wire.service import ServiceRecord
from simulator.wire.tls import TLSOptions
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp import starttls
from simulator.xmpp.errors import RemoteProtocolError

RIGHT = Rules()

#: Whatever OpenSSL has, without encryption or certificates, too.
EVERY_CIPHER = "ALL:COMPLEMENTOFALL"


def _but(**changes: Any) -> Rules:
    """Rules that are right but for these decisions about negotiation."""
    return replace(RIGHT, negotiation=replace(RIGHT.negotiation, **changes))


def _speaking(**options: Any) -> Rules:
    """Rules that speak TLS otherwise."""
    return _but(tls_options=lambda direct: replace(choosing.tls_options(direct), **options))


def _again(standing: Standing) -> bool:
    return offering.starttls_is_offered(replace(standing, secured=False))


def _is_called_so(element: Element) -> bool:
    return element.tag.endswith("}starttls")


def _with_a_child() -> Element:
    return starttls.feature(required=True)


def _but_starttls(feature: Element, _: bool) -> bool:
    return feature.tag != starttls.STARTTLS


def _where_set(tls: Negotiation, mandatory: bool) -> RemoteProtocolError | None:
    return choosing.refusal_without_tls(tls, False)


def _the_first(_: str, external: CertificateFiles, by_domain: Mapping[str, CertificateFiles]) -> CertificateFiles:
    return external


def _without_name(direct: bool) -> TLSOptions:
    return choosing.tls_options(False)


def _all_direct(records: Sequence[ServiceRecord], entropy: random.Random) -> list[ServiceRecord]:
    return [replace(record, direct_tls=True) for record in service.order_targets(records, entropy)]


TLS = (
    # The offer and the command
    Mutant("starttls-never-offered", "Offers no STARTTLS.", _but(starttls_is_offered=lambda _: False)),
    Mutant("starttls-offered-again", "Offers STARTTLS over TLS, too.", _but(starttls_is_offered=_again)),
    Mutant("required-unsaid", "Does not say that TLS is required.", _but(starttls_is_required=lambda _: False)),
    Mutant("commands-unknown", "Does not know the command.", _but(is_command=lambda _: False)),
    Mutant(
        "commands-by-local-name",
        "Does not look at the namespace of the command.",
        _but(is_command=_is_called_so, command_is_followed=lambda _, offered: offered),
    ),
    Mutant("commands-always-fail", "Follows no command.", _but(command_is_followed=lambda *_: False)),
    Mutant("commands-always-followed", "Follows commands without an offer.", _but(command_is_followed=lambda *_: True)),
    Mutant(
        "any-command-will-do",
        "Follows commands that are malformed.",
        _but(command_is_followed=lambda _, offered: offered),
    ),
    Mutant(
        "injections-are-kept",
        "Reads over TLS what stood in the clear behind the command.",
        _but(plaintext_behind_starttls_ends=lambda: False),
    ),
    Mutant("tls-keeps-the-id", "Gives the stream over TLS no new id.", _but(id_after_restart=lambda before, _: before)),
    # How it is spoken
    Mutant(
        "old-tls-is-spoken",
        "Speaks TLS 1.0 and 1.1.",
        _speaking(least="TLSv1", ciphers="DEFAULT", check_strength=False),
    ),
    Mutant("tls-1.2-alone", "Speaks TLS 1.2 and nothing newer.", _speaking(most="TLSv1.2")),
    Mutant("tls-1.3-alone", "Speaks TLS 1.3 and nothing older.", _speaking(least="TLSv1.3")),
    Mutant(
        "any-cipher-will-do",
        "Takes suites without encryption, or without certificates.",
        _speaking(ciphers=EVERY_CIPHER, check_strength=False),
    ),
    Mutant("tls-is-renegotiated", "Renegotiates TLS.", _speaking(renegotiates=True)),
    Mutant("asks-for-no-certificate", "Asks clients for no certificate.", _speaking(asks_for_certificate=False)),
    Mutant("one-certificate-for-all", "Shows the same certificate for all its domains.", _but(files_of=_the_first)),
    # As the initiating entity
    Mutant("starttls-never-sent", "Takes no STARTTLS.", _but(starttls_is_sent=lambda *_: False)),
    Mutant(
        "starttls-is-passed-over",
        "Goes on in the clear where STARTTLS is mandatory.",
        _but(starttls_is_sent=lambda *_: False, refusal_without_tls=_where_set, feature_counts=_but_starttls),
    ),
    Mutant("command-holds-a-child", "Sends a command with a child element.", _but(command=_with_a_child)),
    Mutant(
        "failure-is-overlooked",
        "Goes on in the clear when <starttls/> is answered by <failure/>.",
        replace(
            _but(failure_ends_stream=lambda: False, refusal_without_tls=lambda *_: None),
            dialback_is_allowed=lambda *_: True,
        ),
    ),
    Mutant(
        "features-before-tls-count",
        "Takes for protected what stood in the features before TLS.",
        _but(features_before_tls_count=lambda: True),
    ),
    Mutant("starttls-counts-over-tls", "Wants TLS again over TLS.", _but(feature_counts=lambda *_: True)),
    Mutant("shows-no-certificate", "Shows servers that ask no certificate.", _but(certificate_is_shown=lambda: False)),
    Mutant("sni-is-the-host", "Asks in TLS for the host that DNS named.", _but(sni_of=lambda _, host: host)),
    Mutant("sni-left-out", "Asks in TLS for nobody.", _but(sni_of=lambda *_: "")),
    # Direct TLS
    Mutant("alpn-unsaid", "Does not say what it wants to speak over direct TLS.", _but(tls_options=_without_name)),
    Mutant("direct-tls-overlooked", "Does not look for direct TLS.", _but(direct_tls_is_looked_for=lambda *_: False)),
    Mutant("every-record-is-direct", "Begins with TLS wherever it dials.", replace(RIGHT, order_targets=_all_direct)),
)
