"""The front end over TLS, with the user agent of the world."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from simulator.journal import Journal
from simulator.wire.tls import client_context
from simulator.world.users.sip.sip_user import SIPUser


async def test_messages_cross_over_tls(inside: Any) -> None:
    user = SIPUser(
        "alice@contoso.com",
        "127.0.0.1",
        inside.frontend.tls_port,
        Journal(time.monotonic),
        tls=client_context(authority=inside.authority.authority),
        server_name="contoso.com",
    )
    await user.sign_in()
    await user.send_message("juliet@gmail.com", "out", id="m1")
    stanza = await inside.next_stanza()
    accepted = await asyncio.wait_for(user.inbox.next(), 5)
    inside.sends("<message from='juliet@gmail.com' to='alice@contoso.com' id='m2'><body>in</body></message>")
    message = await asyncio.wait_for(user.inbox.next(), 5)
    await user.sign_out()

    assert "id='m1'><body>out</body>" in stanza
    assert (accepted.what, accepted.fields["id"]) == ("accepted", "m1")
    assert (message.fields["id"], message.fields["body"]) == ("m2", "in")
