"""What tests of presence say and hear: a phone of a user, its subscriptions, and what a contact sends."""

from __future__ import annotations

from typing import Any

from simulator.sip import pidf
from simulator.sip.contact_service import Operation, write_operation
from simulator.sip.dialog import Dialog
from simulator.sip.event import SubscriptionState, parse_subscription_state
from simulator.sip.message import Request, Response, build_request

ACCEPT = f"Accept: {pidf.MEDIA_TYPE}"
#: methods of Lync's clients: no SUBSCRIBE
LYNC = 'methods="INVITE, MESSAGE, INFO, OPTIONS, BYE, CANCEL, NOTIFY, ACK, REFER, BENOTIFY"'


class Phone:
    """A device of a user: a `WireUser` with words for presence."""

    def __init__(self, wire: Any) -> None:
        self.wire = wire

    async def registers(self, device: str = "desk", methods: str = LYNC, expires: int = 60) -> None:
        """Registered as the resource `device`."""
        user = self.wire.address
        contact = f"Contact: <sip:{user.partition('@')[0]}@127.0.0.1:1;gr={device}>;{methods}"
        response = await self.wire.registers(contact.rstrip(";"), expires=expires)
        assert response.code == 200

    async def subscribes(
        self, uri: str, *lines: str, body: bytes = b"", event: str = "presence", **headers: str
    ) -> Watch:
        """A SUBSCRIBE that is granted; its notifications are still to come."""
        response = await self.wire.asks(
            "SUBSCRIBE", uri, f"Event: {event}", "Contact: <sip:alice@127.0.0.1:1>", *lines, body=body, **headers
        )
        assert response.code == 200, (response.code, response.phrase, response.headers)

        return Watch(self, uri, response)

    async def publishes(self, presence: pidf.Presence | bytes, *lines: str, expires: int = 60) -> Response:
        """A PUBLISH, whatever becomes of it."""
        body = presence if isinstance(presence, bytes) else pidf.write_presence(presence)
        kind = (f"Content-Type: {pidf.MEDIA_TYPE}",) if body else ()
        response = await self.wire.asks(
            "PUBLISH", f"sip:{self.wire.address}", "Event: presence", f"Expires: {expires}", *kind, *lines, body=body
        )
        assert isinstance(response, Response)

        return response

    async def serves(self, operation: Operation) -> Response:
        """A SERVICE; notifications that come before its answer would be an error here."""
        self.asks_service(operation)
        response = await self.wire.next_response()
        assert isinstance(response, Response)

        return response

    def asks_service(self, operation: Operation) -> None:
        body = write_operation(operation)
        self.wire.sends("SERVICE", f"sip:{self.wire.address}", "Content-Type: application/SOAP+xml", body=body)

    async def next_notify(self) -> Request:
        """The next notification, answered where it wants an answer."""
        request = await self.wire.next_request()
        assert request.method in ("NOTIFY", "BENOTIFY"), request.method

        if request.method == "NOTIFY":
            self.wire.answers(request, 200)

        assert isinstance(request, Request)

        return request

    async def hears_nothing(self) -> None:
        """A later exchange on the same connection comes back first."""
        response = await self.wire.asks("OPTIONS", "sip:contoso.com")
        assert response.cseq[1] == "OPTIONS"


class Watch:
    """A subscription of a phone."""

    def __init__(self, phone: Phone, uri: str, response: Response) -> None:
        self._phone, self.response = phone, response
        target = response.values("contact")[0].strip("<>")
        self.dialog = Dialog.outgoing(
            call_id=response.call_id,
            local_tag=response.sender.tag or "",
            local_uri=response.sender.uri,
            remote_uri=response.to.uri,
            target=target,
        )
        self.dialog.confirm(response)
        self.dialog.local_sequence = response.cseq[0]

    async def refreshes(
        self, *lines: tuple[str, str], expires: int = 60, body: bytes = b"", phone: Phone | None = None
    ) -> Response:
        """A SUBSCRIBE within the dialog, over the connection of `phone` where that is another; 0 ends it."""
        wire = (phone or self._phone).wire
        uri, headers = self.dialog.request(
            "SUBSCRIBE", [("Event", "presence"), ("Expires", str(expires)), ("Contact", "<sip:a@127.0.0.1:1>"), *lines]
        )
        via = ("Via", f"SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKr{self.dialog.local_sequence}")
        wire.says(build_request("SUBSCRIBE", uri, [via, *headers], body))
        response = await wire.next_response()
        assert isinstance(response, Response)

        return response


def of_juliet(
    type_: str = "", resource: str = "", content: str = "", to: str = "alice@contoso.com", **more: str
) -> str:
    """A presence of the contact."""
    sender = f"juliet@gmail.com/{resource}" if resource else "juliet@gmail.com"
    attributes = "".join(f" {name.replace('_', ':')}='{value}'" for name, value in more.items())
    kind = f" type='{type_}'" if type_ else ""

    return f"<presence from='{sender}' to='{to}'{kind}{attributes}>{content}</presence>"


def state(notify: Request) -> SubscriptionState:
    """What a notification says of its subscription."""
    return parse_subscription_state(notify.needed("subscription-state"))


async def befriend(inside: Any, phone: Phone) -> None:
    """Alice is available, and juliet has let her in; she watches nobody as yet."""
    here = pidf.Presence(entity="sip:alice@contoso.com", tuples=(pidf.PresenceTuple(id="0", basic="open"),))
    assert (await phone.publishes(here)).code == 200
    watch = await phone.subscribes("sip:juliet@gmail.com", ACCEPT)
    assert state(await phone.next_notify()).state == "pending"
    assert "type='subscribe'" in await inside.next_stanza()
    inside.sends(of_juliet("subscribed"))
    assert (await phone.next_notify()).body == b""
    assert (await watch.refreshes(expires=0)).code == 200
    await phone.next_notify()
    assert "type='unavailable'" in await inside.next_stanza()


async def has_taken(inside: Any) -> None:
    """What was sent before is taken: a later question on the same link is answered."""
    inside.sends("<iq type='get' id='p' from='gmail.com' to='contoso.com'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert "type='result'" in await inside.next_stanza()
