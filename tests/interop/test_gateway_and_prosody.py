"""The gateway and a real Prosody federate by dialback, there and back, and people on both sides talk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.world.users.user import ACCEPTED, MESSAGE, REFUSAL
from tests.gateway.frontend.sipp import needs_sipp
from tests.interop.conftest import OUTSIDE
from tests.interop.sipp import JULIET, Presentity
from tests.world.users.arrivals import arrived


@pytest.mark.parametrize("order", ["the gateway dials first", "Prosody dials first"])
async def test_people_on_both_sides_talk(town: Any, gateway: Any, prosody: Any, order: str) -> None:
    alice, juliet = await town.user(gateway), await town.user(prosody, JULIET)
    pairs = [(alice, juliet), (juliet, alice)]

    for number, (one, other) in enumerate(pairs if order.startswith("the gateway") else reversed(pairs)):
        await one.send_message(other.address, "Wherefore art thou Roméo? <&>", id=f"m{number}")
        message = await arrived(other, MESSAGE)

        assert message["body"] == "Wherefore art thou Roméo? <&>"
        assert message["from"].partition("/")[0] == one.address
        assert message["id"] == f"m{number}"

    assert (await arrived(alice, ACCEPTED))["code"] == 200


async def test_nobody_is_refused(town: Any, gateway: Any, prosody: Any) -> None:
    """Errors of the gateway reach the user: by RFC 6121 §8.5.1 a server says this of people whom it does not know."""
    juliet = await town.user(prosody, JULIET)
    await juliet.send_message("nobody@contoso.com", "Hello", id="m1")
    await juliet.send_message("nobody@fabrikam.com", "Hello", id="m2")
    refusals = [await arrived(juliet, REFUSAL) for _ in range(2)]

    assert {refusal["id"]: refusal["conditions"] for refusal in refusals} == {
        "m1": ["service-unavailable"],
        "m2": ["service-unavailable"],
    }


async def test_domain_that_is_not_allowed_hears_so(town: Any, gateway: Any, outside: Any) -> None:
    """A Prosody that is no partner of the gateway returns the message to its user, with the gateway's reason."""
    stranger = await outside("stranger.example")
    juliet = await town.user(stranger, "juliet@stranger.example")
    await juliet.send_message("alice@contoso.com", "Hello", id="m1")

    refusal = await arrived(juliet, REFUSAL)

    assert refusal["conditions"][0].startswith("remote-server-")
    assert "policy-violation" in refusal["text"]


async def test_restarted_partner_is_dialled_again(
    town: Any, gateway: Any, prosody: Any, outside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, juliet = await town.user(gateway), await town.user(prosody, JULIET)
    await alice.send_message(JULIET, "Before", id="m1")
    await arrived(juliet, MESSAGE)
    await juliet.sign_out()
    await prosody.stop()
    # In the place of the old one: the gateway may keep what the name server said for as long as that is to live.
    monkeypatch.setattr(town.addresses, "take", lambda name: prosody.address_of(OUTSIDE)[0])
    juliet = await town.user(await outside(OUTSIDE), JULIET)
    await alice.send_message(JULIET, "After", id="m2")

    assert (await arrived(juliet, MESSAGE))["body"] == "After"


@needs_sipp
async def test_sipp_and_slixmpp_talk(town: Any, gateway: Any, prosody: Any, tmp_path: Path) -> None:
    juliet = await town.user(prosody, JULIET)
    sipp = Presentity(town, tmp_path)
    await sipp.start(gateway.listening["sip"], asked='<recv request="SUBSCRIBE"/>')
    thread = await sipp.has_written(juliet, "Neither, fair saint")
    await juliet.send_message("alice@contoso.com", "Art thou not Romeo?", id="m2", thread=thread)

    await sipp.ended()
