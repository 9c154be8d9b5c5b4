"""Partners federate with a stranger: a real Prosody, there and back, by dialback."""

import random
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.world.systems.prosody import Prosody, installed
from simulator.world.systems.system import NotInstalled, SystemSettings
from simulator.xmpp.element import parse_element, serialize

try:
    installed()
except NotInstalled as error:
    pytest.skip(str(error), allow_module_level=True)

#: What a partner may be and still get through. Prosody sends no features to a header without a version, and where expat
#: defers it does not read what comes byte by byte: `stream-inbound/byte-by-byte` and the ledger have that.
VARIANTS = {
    "gmail.com": ("google-talk", ()),
    "versionless.example": ("google-talk", ("no-version",)),
    "toless.example": ("google-talk", ("no-to", "no-version")),
    "modern.example": ("xmpp-server", ()),
    "spacious.example": ("xmpp-server", ("whitespace-between",)),
    "prefix-free.example": ("xmpp-server", ("prefix-free-header",)),
}


async def test_every_variant_gets_through_and_is_answered(town: Any) -> None:
    await town.names.start()
    prosody = Prosody(SystemSettings(domains=("contoso.com",)))
    surroundings = SimpleNamespace(
        addresses=town.addresses,
        authority=None,
        name_server=(town.names.host, town.names.port),
        entropy=random.Random(1),
    )
    await prosody.start(surroundings)
    host, port = prosody.address_of("contoso.com")
    town.names.publish(f"_xmpp-server._tcp.contoso.com SRV 0 0 {port} xmpp.contoso.com\nxmpp.contoso.com A {host}")
    answered = {}

    try:
        for domain, (profile, quirks) in VARIANTS.items():
            partner = await town.partner(domain, *quirks, profile=profile)
            partner.add_user(f"juliet@{domain}", town.mail.put_nowait)
            # Nobody lives there, so Prosody dials back, verifies, and answers over a stream of its own.
            partner.send_stanza(
                parse_element(f"<message from='juliet@{domain}' to='nobody@contoso.com' id='{domain}'/>")
            )
            answer = await town.mail.get()
            answered[answer.get("id")] = "service-unavailable" in serialize(answer).decode()
    finally:
        await prosody.stop()
        await town.names.stop()

    assert answered == dict.fromkeys(VARIANTS, True)
    assert not [entry for entry in town.journal if entry.kind == "element" and "handled" not in entry.data]
