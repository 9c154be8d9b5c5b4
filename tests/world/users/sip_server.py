"""A scripted SIP server for one user agent: it answers what it is told to, and sends whatever a test wants."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence

from simulator.journal import Journal
from simulator.sip import contact_service, watchers
from simulator.sip.agent import Agent, Answered, Cancelled, Incoming
from simulator.sip.message import HeaderList, Request, Response, build_request
from simulator.wire.connection import Connection

TAG = "server"


class Server:
    """What is not scripted is answered 200; lists are empty. Requests of the user agent wait in `requests`."""

    def __init__(self) -> None:
        self.journal = Journal(time.monotonic)
        self.requests: asyncio.Queue[Request] = asyncio.Queue()
        self.answers: asyncio.Queue[Response | None] = asyncio.Queue()
        self.codes: dict[str, list[int]] = {}
        """Method -> codes of the next answers."""
        self.headers: dict[str, HeaderList] = {}
        """Method -> further headers of its answers."""
        self.overtakes = False
        """Whether notifications are sent before the answer to the SUBSCRIBE."""
        self._numbers = itertools.count(1)
        self._tags = itertools.count(1)

    def accepted(self, connection: Connection) -> None:
        self._connection = connection
        self._agent: Agent[str] = Agent(source="127.0.0.1", tag=TAG)
        connection.on_data = self._received

    async def next(self, method: str) -> Request:
        """The next request of this method; others before it are passed over."""
        async with asyncio.timeout(5):
            while True:
                request = await self.requests.get()

                if request.method == method:
                    return request

    def send(
        self, method: str, uri: str, headers: HeaderList, body: bytes = b"", *, branch: str = "", waits: bool = True
    ) -> str:
        """Send a request; its answer comes into `answers`, if one is awaited."""
        branch = branch or f"z9hG4bKserver{next(self._numbers)}"
        data = build_request(method, uri, [("Via", f"SIP/2.0/TCP 127.0.0.1:5060;branch={branch}"), *headers], body)

        if method == "INVITE":
            self._agent.begin_invite(data, branch, time.monotonic())
        elif waits:
            self._agent.begin(branch, method, branch, time.monotonic())

        self._connection.write(data)

        return branch

    def cancel(self, branch: str) -> None:
        self._agent.cancel(branch, time.monotonic())
        self._flush()

    def write(self, data: bytes) -> None:
        self._connection.write(data)

    def notify(
        self,
        subscribe: Request,
        state: str,
        *,
        content_type: str = "",
        body: bytes = b"",
        method: str = "NOTIFY",
        call_id: str = "",
        tag: str = "",
    ) -> None:
        """Notify within the dialog of a SUBSCRIBE."""
        contact = subscribe.values("contact")[0].strip("<>")
        headers = [
            ("To", subscribe.needed("from")),
            ("From", f"<{subscribe.to.uri}>;tag={tag or self._tag_of(subscribe)}"),
            ("Call-ID", call_id or subscribe.call_id),
            ("CSeq", f"{next(self._numbers)} {method}"),
            ("Contact", "<sip:server@127.0.0.1>"),
            ("Event", subscribe.needed("event")),
            ("Subscription-State", state),
            *([("Content-Type", content_type)] if content_type else []),
        ]
        self.send(method, contact, headers, body, waits=method == "NOTIFY")

    async def answered(self) -> int:
        """The code of the next answer to a request of ours."""
        async with asyncio.timeout(5):
            response = await self.answers.get()

        return response.code if response is not None else 0

    def delivered(self) -> list[dict[str, object]]:
        return [entry.data for entry in self.journal if entry.kind == "delivered"]

    def violations(self) -> list[str]:
        return [str(entry.data["violation"]) for entry in self.journal if "violation" in entry.data]

    # -- inside

    def _received(self, data: bytes) -> None:
        for event in self._agent.receive(data):
            match event:
                case Incoming(request=request):
                    self.requests.put_nowait(request)
                    self._serve(event)
                case Answered(response=response):
                    self.answers.put_nowait(response)
                case Cancelled():
                    pass

        self._flush()

    def _flush(self) -> None:
        self._connection.write(bytes(self._agent.outgoing))
        self._agent.outgoing.clear()

    def _serve(self, incoming: Incoming) -> None:
        request = incoming.request

        if request.method in ("ACK", "INVITE"):
            self.invited = incoming
            return

        codes = self.codes.get(request.method, [])
        code = codes.pop(0) if codes else 200
        tells = request.method == "SUBSCRIBE" and code == 200

        if tells and self.overtakes:
            self._tell(request)

        headers: Sequence[tuple[str, str]] = [*self.headers.get(request.method, ()), ("Contact", "<sip:s@127.0.0.1>")]
        self.write(incoming.answer(code, tag=self._tag_of(request), headers=headers))

        if tells and not self.overtakes:
            self._tell(request)

    def _tell(self, request: Request) -> None:
        """Lists are told at once; they are empty."""
        if request.header("event") == contact_service.EVENT:
            listed = contact_service.write_contacts(contact_service.ContactList(1))
            self.notify(request, "active;expires=60", content_type=contact_service.MEDIA_TYPE, body=listed)
        elif request.header("event") == "presence.wpending":
            waiting = watchers.write_watchers("sip:alice@contoso.com", [], 0)
            self.notify(request, "active;expires=60", content_type=watchers.MEDIA_TYPE, body=waiting)

    def _tag_of(self, request: Request) -> str:
        return f"{TAG}-{request.call_id}" if request.to.tag is None else request.to.tag
