"""What the log says of messages: their endpoints, and their content only where that is set."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.gateway.edge.message_log import line_of_message
from simulator.gateway.settings import GatewaySettings
from simulator.xmpp.element import parse_element

SECRET = "The treasure lies\nunder the oak"
OUT = f"<message from='alice@contoso.com' to='juliet@gmail.com' id='m1'><body>{SECRET}</body></message>"
BACK = f"<message from='juliet@gmail.com/b' to='alice@contoso.com' id='m2'><body>{SECRET}</body></message>"


@pytest.mark.parametrize("bodies", [False, True])
async def test_endpoints_are_logged_and_bodies_where_it_is_set(world: Any, bodies: bool) -> None:
    settings = GatewaySettings(enable_logging_all_message_bodies=bodies)
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")], gateway=settings)
    fake = await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    peer.send_text(BACK)
    await site.link.next()
    site.edge.submit(parse_element(OUT))
    content = r": 'The treasure lies\nunder the oak'" if bodies else ""

    assert f"message from 'juliet@gmail.com/b' to 'alice@contoso.com'{content}" in site.log
    assert f"message from 'alice@contoso.com' to 'juliet@gmail.com'{content}" in site.log
    assert any("treasure" in line for line in site.log) is bodies


async def test_what_comes_back_does_not_show_what_was_written(world: Any) -> None:
    """Every way that a message can fail, with the content switched off."""
    site = await world.site("contoso.com", partners=[world.partner("gmail.com")])
    site.edge.submit(parse_element(OUT))
    await site.link.next()
    site.edge.submit(parse_element(OUT.replace("gmail.com", "stranger.example")))
    await site.link.next()
    site.edge.submit(parse_element(OUT.replace("alice@contoso.com", "alice@elsewhere.example")))
    fake = await world.listen("gmail.com")
    peer = await world.authenticated(site, fake, "gmail.com", "contoso.com")
    site.link.down = True
    peer.send_text(BACK)
    peer.send_text(BACK.replace("juliet@gmail.com", "juliet@elsewhere.example"))
    await peer.next()

    assert any("refused" in line for line in site.log)
    assert not any("treasure" in line for line in site.log)


def test_errors_are_told_from_messages_and_other_stanzas_passed_over() -> None:
    error = parse_element(OUT.replace("id='m1'", "type='error'"))
    presence = parse_element("<presence from='a@b' to='c@d'><status>x</status></presence>")

    assert line_of_message(error, bodies=False) == "error for a message from 'alice@contoso.com' to 'juliet@gmail.com'"
    assert line_of_message(presence, bodies=True) is None


def test_message_without_a_body_has_only_endpoints() -> None:
    typing = parse_element(
        "<message from='a@b' to='c@d'><active xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )

    assert line_of_message(typing, bodies=True) == "message from 'a@b' to 'c@d'"


@given(text=st.text())
def test_nothing_that_is_written_breaks_the_line(text: str) -> None:
    stanza = parse_element(OUT)
    stanza[0].text = text
    stanza.set("to", text)
    line = line_of_message(stanza, bodies=True)

    assert line is not None
    assert len((line + ".").splitlines()) == 1
