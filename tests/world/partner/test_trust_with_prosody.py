"""Partners with TLS federate with a stranger: a real Prosody, there and back, by certificates and by dialback."""

import random
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.world.ca import CertificateAuthority
from simulator.world.systems.prosody import Prosody, installed
from simulator.world.systems.system import NotInstalled, SystemSettings
from simulator.xmpp.element import parse_element, serialize

try:
    installed()
except NotInstalled as error:
    pytest.skip(str(error), allow_module_level=True)

EXTERNAL, OVER_TLS = "SASL EXTERNAL over TLS", "dialback over TLS"
PROFILE = {"tls": "optional", "sasl": "optional", "dialback": True}

#: Abilities of a partner, and by which methods both directions go. COMPAT: Prosody knows no <challenge/> between
#: servers, so none of them challenges.
VARIANTS: dict[str, tuple[dict[str, Any], tuple[str, ...], list[str]]] = {
    "plain.example": ({}, (), ["dialback over TCP", "dialback over TCP"]),
    "able.example": ({"tls": "optional"}, (), [EXTERNAL, EXTERNAL]),
    "strict.example": ({"tls": "required", "dialback": False}, (), [EXTERNAL, EXTERNAL]),
    "dialback.example": ({"tls": "required", "external": False}, (), [OVER_TLS, OVER_TLS]),
    "nobody.example": ({"tls": "optional", "certificate": "self-signed"}, (), [EXTERNAL, OVER_TLS]),
    "old.example": ({"tls": "optional"}, ("tls-version: TLSv1.2",), [EXTERNAL, EXTERNAL]),
    "spacious.example": ({"tls": "optional"}, ("whitespace-between",), [EXTERNAL, EXTERNAL]),
}


async def test_every_variant_gets_through_by_its_method(town: Any) -> None:
    await town.names.start()
    methods, answered = {}, {}

    with CertificateAuthority() as authority:
        prosody = Prosody(SystemSettings(domains=("contoso.com",), partners=dict.fromkeys(VARIANTS, PROFILE)))
        name_server = town.names.host, town.names.port
        surroundings = SimpleNamespace(
            addresses=town.addresses, authority=authority, name_server=name_server, entropy=random.Random(1)
        )
        await prosody.start(surroundings)
        host, port = prosody.address_of("contoso.com")
        town.names.publish(f"_xmpp-server._tcp.contoso.com SRV 0 0 {port} xmpp.contoso.com\nxmpp.contoso.com A {host}")

        try:
            for domain, (abilities, quirks, _) in VARIANTS.items():
                partner = await town.partner(domain, *quirks, abilities=abilities, authority=authority)
                partner.add_user(f"juliet@{domain}", town.mail.put_nowait)
                # Nobody lives there, so Prosody answers over a stream of its own.
                partner.send_stanza(
                    parse_element(f"<message from='juliet@{domain}' to='nobody@contoso.com' id='{domain}'/>")
                )
                answer = await town.mail.get()
                answered[answer.get("id")] = "service-unavailable" in serialize(answer).decode()
                methods[domain] = sorted(entry.data["method"] for entry in town.entries("authenticated", domain))
        finally:
            await prosody.stop()
            await town.names.stop()

    assert answered == dict.fromkeys(VARIANTS, True)
    assert methods == {domain: expected for domain, (_, _, expected) in VARIANTS.items()}
    assert not [entry for entry in town.journal if entry.kind == "element" and "handled" not in entry.data]
