"""What is owed when the link is lost, how a silent end is found out, and what the halves tell each other besides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from xml.etree.ElementTree import Element

import msgspec
import pytest

from simulator.gateway import link_words
from simulator.gateway.configuration import Configuration
from simulator.gateway.link import LinkClient, LinkDown, LinkListener
from simulator.gateway.unsettled import OVERHEAD, Unsettled
from simulator.xmpp.element import parse_element


def message(name: str) -> Element:
    return parse_element(
        f"<message from='juliet@gmail.com' to='alice@contoso.com' id='{name}'><body>Hi</body></message>"
    )


class Ends:
    """Both ends; `said` has what they report, in order."""

    def __init__(self, configuration: Configuration) -> None:
        self.said: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.edge = LinkListener(configuration, log=lambda _: None)
        self.frontend = LinkClient(configuration, log=lambda line: self.said.put_nowait(("log", line)))
        self.held: dict[str, Callable[[], None]] = {}
        self.edge.owes = lambda stanza: stanza.tag.endswith("}message")
        self.edge.on_unsettled = lambda stanza: self.said.put_nowait(("unsettled", stanza.get("id")))
        self.edge.on_route = lambda serves: self.said.put_nowait(("route", serves))
        self.frontend.on_stanza = self._received
        self.frontend.on_domain_lost = lambda domain: self.said.put_nowait(("lost", domain))
        self.frontend.on_domain_back = lambda domain: self.said.put_nowait(("back", domain))

    def _received(self, stanza: Element) -> None:
        name = stanza.get("id", "")

        if name.startswith("held"):
            self.held[name] = self.frontend.hold()

        self.said.put_nowait(("got", name))

    async def next(self, *kinds: str) -> tuple[str, Any]:
        async with asyncio.timeout(5):
            while True:
                kind, what = await self.said.get()

                if kind in kinds:
                    return kind, what

    async def start(self) -> None:
        await self.edge.start()
        await self.frontend.start(port=self.edge.port)
        await asyncio.wait_for(asyncio.gather(self.edge.wait_up(), self.frontend.wait_up()), 5)

    async def stop(self) -> None:
        await self.frontend.stop()
        await self.edge.stop()

    async def settled(self, *names: str) -> None:
        """What the front end has settled is told, and the edge answers for nothing but these."""
        await asyncio.sleep(0)

        # What is said later arrives later.
        for serves in (False, True):
            self.frontend.route(serves)
            await self.next("route")

        session = self.edge.session
        assert session is not None
        assert [stanza.get("id") for stanza, _ in session.unsettled._kept.values()] == list(names)


@pytest.fixture
async def ends(configuration: Configuration) -> AsyncIterator[Ends]:
    made = Ends(configuration)
    await made.start()
    yield made
    await made.stop()


async def test_what_the_front_end_has_not_settled_comes_back(ends: Ends) -> None:
    for name in ("quick-1", "held-1", "quick-2", "held-2"):
        ends.edge.send(message(name))

    assert [await ends.next("got") for _ in range(4)]
    await ends.settled("held-1", "held-2")
    ends.held["held-1"]()
    await ends.settled("held-2")

    session = ends.frontend.session
    assert session is not None
    session.connection.abort()

    assert await ends.next("unsettled") == ("unsettled", "held-2")
    ends.held["held-2"]()


async def test_presence_is_not_owed(ends: Ends) -> None:
    ends.edge.send(parse_element("<presence from='juliet@gmail.com' to='alice@contoso.com' id='held-p'/>"))
    ends.edge.send(message("held-m"))
    await ends.next("got")
    await ends.next("got")
    await ends.frontend.stop()

    assert await ends.next("unsettled") == ("unsettled", "held-m")
    assert ends.said.empty() or all(kind == "log" for kind, _ in ends.said._queue)  # type: ignore[attr-defined]


async def test_edge_that_is_not_the_route_takes_nothing(ends: Ends) -> None:
    ends.frontend.route(False)
    assert await ends.next("route") == ("route", False)

    with pytest.raises(LinkDown, match="not the site's XMPP federation route"):
        ends.edge.send(message("m1"))

    ends.frontend.route(True)
    assert await ends.next("route") == ("route", True)
    ends.edge.send(message("m2"))
    assert await ends.next("got") == ("got", "m2")


async def test_domains_are_told_lost_and_back(ends: Ends) -> None:
    ends.edge.domain_lost("gmail.com")
    ends.edge.domain_back("gmail.com")

    assert await ends.next("lost", "back") == ("lost", "gmail.com")
    assert await ends.next("lost", "back") == ("back", "gmail.com")


async def test_silent_other_end_is_given_up(configuration: Configuration) -> None:
    """A network that swallows everything breaks no connection: only silence shows it."""
    edge = msgspec.structs.replace(configuration.edge, link_keep_alive=0.25)
    ends = Ends(msgspec.structs.replace(configuration, edge=edge))
    await ends.start()
    session = ends.frontend.session
    assert session is not None

    # Longer than it takes to find silence: signs of life are enough to stay.
    await asyncio.sleep(1.0)
    assert ends.frontend.session is session

    session._timer.cancel()
    ends.edge.send(message("held-1"))

    # The front end shows no sign of life any more, as if it were stopped; the edge gives it up and answers.
    assert await ends.next("unsettled") == ("unsettled", "held-1")
    await ends.stop()


async def test_too_much_that_is_owed_is_down(configuration: Configuration) -> None:
    limits = msgspec.structs.replace(configuration.limits, unsettled_bytes=1)
    ends = Ends(msgspec.structs.replace(configuration, limits=limits))
    await ends.start()
    ends.edge.send(message("held-1"))

    with pytest.raises(LinkDown, match="owes too many answers"):
        ends.edge.send(message("m2"))

    await ends.next("got")
    ends.held["held-1"]()
    await ends.settled()
    ends.edge.send(message("m3"))
    assert await ends.next("got") == ("got", "m3")
    await ends.stop()


async def test_nothing_is_held_outside_of_a_stanza(configuration: Configuration) -> None:
    LinkClient(configuration, log=lambda _: None).hold()()


def test_account_forgets_what_is_settled_and_only_that() -> None:
    account = Unsettled(lambda stanza: True, room=2 * OVERHEAD)
    account.sent(message("a"), 10)
    account.sent(message("b"), 10)
    assert account.full

    account.settle([1, 1, 99])
    assert not account.full
    assert [stanza.get("id") for stanza in account.take_all()] == ["b"]
    assert account.take_all() == []


def test_words_that_are_none_are_passed_over() -> None:
    assert link_words.numbers(parse_element("<settled xmlns='urn:s2sim:link'>1 x -2 ² 3</settled>")) == [1, 3]
    assert link_words.words(link_words.handed_over(["m1", "with space", "", "m2"])) == ["m1", "m2"]
