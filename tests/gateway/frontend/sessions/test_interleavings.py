"""Whatever comes in whatever order: each message is shown once, or its sender is told that it was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from xml.etree.ElementTree import Element

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simulator.sip.agent import Incoming
from simulator.sip.dialog import Dialog
from simulator.sip.first_message import read_first_message, write_first_message
from tests.gateway.frontend.sessions.device import LYNC, PLAIN, Device
from tests.gateway.frontend.sessions.stage import Stage

BODY = "{jabber:server}body"
GONE = "<gone xmlns='http://jabber.org/protocol/chatstates'/>"
CODES = (200, 200, 200, 200, 180, 404, 405, 480, 486, 488, 500, 603)


class Conversation:
    """Juliet writes, Alice's two devices answer as they please, and the edge and the connections come and go.

    Each action takes a number, from which it takes whatever it chooses.
    """

    def __init__(self) -> None:
        self.stage = Stage()
        self.stage.hands_over = False
        self.devices = [Device(self.stage), Device(self.stage, gr="phone")]
        self.dialogs: list[tuple[Device, Dialog]] = []
        self.written = self.asked = 0
        self.shown: Counter[tuple[str, Device]] = Counter()
        """By MESSAGE. Devices without sessions get everything, as pagers do; none of them twice."""
        self.read: set[tuple[str, Device]] = set()
        """What rode in an INVITE that was answered 200: several devices may have shown it before one won."""
        self.errors: Counter[str] = Counter()
        self.posted: dict[str, Element] = {}
        self.fates: dict[str, bool] = {}
        """Whether the edge handed a message of Alice's over."""
        self.hears: dict[str, Device] = {}
        """The device that waits for the answer to a message, unless its connection broke."""
        self.left_to_the_edge: set[str] = set()
        """Messages of Juliet's whose fate was open when the link failed: the edge answers for them."""

    # -- Juliet

    def juliet_writes(self, number: int) -> None:
        if not self.stage.link_up:
            return

        self.written += 1
        name, to = f"j{self.written}", "/phone" if number % 4 == 0 else ""
        self.stage.writes(name, GONE if number % 7 == 0 else "", name=name, to=f"alice@contoso.com{to}")

    def juliet_leaves(self, number: int) -> None:
        if self.stage.link_up:
            self.stage.writes("", GONE)

    # -- Alice's devices

    def a_device_answers(self, number: int) -> None:
        device, code = self.devices[number % 2], CODES[number // 2 % len(CODES)]
        reads = number % 3 == 0

        device.looks()
        waiting = [each for each in device.got if each.request.method != "ACK"]

        if not waiting:
            return

        incoming, device.got = waiting[0], waiting[1:]

        if incoming.request.method == "INVITE":
            self._answers_invite(device, incoming, code, reads)
        elif incoming.request.method == "MESSAGE":
            final = 481 if code == 180 else code
            name = incoming.request.body.decode()
            assert (name, device) not in self.read, f"{name} was shown already"
            self.shown[name, device] += final == 200
            device.answers_to(incoming, final)
        elif not incoming.over:
            device.answers_to(incoming, 200)

    def _answers_invite(self, device: Device, incoming: Incoming, code: int, reads: bool) -> None:
        header = incoming.request.header("ms-text-format")
        first = read_first_message(header) if header else None

        if incoming in device.cancelled:
            device.answers_to(incoming, 487)
        elif code == 200:
            if reads and first is not None:
                self.read.add((first.body.decode(), device))

            self.dialogs.append((device, device.takes(incoming, reads=reads)))
        else:
            device.answers_to(incoming, code)

            if code == 180:
                device.got.append(incoming)

    def alice_opens_a_session(self, number: int) -> None:
        device, carries = self.devices[number % 2], number % 3 == 0
        headers = []

        if carries:
            headers = [("ms-text-format", write_first_message("text/plain", self._name(device).encode()))]

        before = len(device.answers)
        accepts = LYNC if number % 5 else PLAIN
        branch = device.invites(headers=headers, call_id=device.identifiers.fresh(), accepts=accepts)

        if carries:
            device.names[branch] = f"a{self.asked}"

        if len(device.answers) > before and device.last.code == 200:
            self.dialogs.append((device, device.joins()))

    def alice_writes(self, number: int) -> None:
        for device, dialog in self.dialogs[number % max(1, len(self.dialogs)) :][:1]:
            if not device.wire.closed:
                name = self._name(device)
                branch = device.within(dialog, "MESSAGE", [("Content-Type", "text/plain")], name.encode())
                device.names[branch] = name

    def alice_hangs_up(self, number: int) -> None:
        for device, dialog in self.dialogs[number % max(1, len(self.dialogs)) :][:1]:
            if not device.wire.closed:
                device.within(dialog, "BYE")

    def a_connection_breaks(self, number: int) -> None:
        which = number % 2
        device = self.devices[which]
        device.vanishes()
        self.hears = {name: each for name, each in self.hears.items() if each is not device}
        self.devices[which] = Device(self.stage, gr="phone" if which else "")

    def _name(self, device: Device) -> str:
        self.asked += 1
        name = f"a{self.asked}"
        self.hears[name] = device

        return name

    # -- the edge, and time

    def the_edge_tells(self, number: int) -> None:
        self.collects()
        waiting = [name for name in self.posted if name not in self.fates]

        for name in waiting[number % max(1, len(waiting)) :][:1]:
            self.fates[name] = number % 3 != 0

            if self.fates[name]:
                self.stage.outbox.handed_over([self.posted[name].get("id", "")])
            else:
                self.stage.bounces(self.posted[name], "item-not-found")

    def the_link_fails(self, number: int) -> None:
        self.collects()
        self.left_to_the_edge |= self._written() - self._arrived() - set(self.errors)
        self.stage.lose_link()

    def the_link_is_back(self, number: int) -> None:
        self.stage.link_up = True

    def time_passes(self, number: int) -> None:
        self.stage.passes((0.5, 5.0, 40.0, 700.0)[number % 4])

    # -- what must hold

    def collects(self) -> None:
        for stanza in self.stage.stanzas:
            name = stanza.findtext(BODY)

            if stanza.get("type") == "error":
                self.errors[name or ""] += 1
            elif name is not None:
                assert name not in self.posted, f"{name} was sent twice"
                self.posted[name] = stanza

        self.stage.stanzas.clear()

    def ends(self) -> None:
        """Everybody falls silent, and every timer runs out."""
        for device in self.devices:
            device.looks()

        for _ in range(12):
            self.stage.passes(40)

        for device in self.devices:
            device.looks()

        self.collects()

        assert all(count <= 1 for count in self.shown.values()), f"shown twice: {self.shown}"
        assert all(count == 1 for count in self.errors.values()), f"told twice: {self.errors}"
        assert self._written() - self._arrived() - self.left_to_the_edge <= set(self.errors), "lost without a word"
        assert self.stage.held == 0
        self._judges_answers()

    def _judges_answers(self) -> None:
        """Alice's clients believe in what they were answered."""
        for name, device in self.hears.items():
            codes = [response.code for branch, response in device.answers if device.names.get(branch) == name]
            assert len(codes) == 1, f"{name} was answered {codes}"

            if codes[0] < 300:
                assert self.fates.get(name), f"{name} was not handed over"

    def _written(self) -> set[str]:
        return {f"j{number}" for number in range(1, self.written + 1)}

    def _arrived(self) -> set[str]:
        return {name for (name, _), count in self.shown.items() if count} | {name for name, _ in self.read}


ACTIONS: dict[str, Callable[[Conversation, int], None]] = {
    name: action
    for name, action in vars(Conversation).items()
    if not name.startswith("_") and name not in ("collects", "ends")
}


#: what happens often happens often here
CHOICE = [*sorted(ACTIONS), *["a_device_answers"] * 6, *["juliet_writes"] * 3, "alice_writes", "the_edge_tells"]


@settings(max_examples=150, phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink))
@given(st.lists(st.tuples(st.sampled_from(CHOICE), st.integers(0, 419)), max_size=60))
def test_nothing_is_lost_and_nothing_doubled(steps: list[tuple[str, int]]) -> None:
    conversation = Conversation()

    for name, number in steps:
        ACTIONS[name](conversation, number)

    conversation.ends()
