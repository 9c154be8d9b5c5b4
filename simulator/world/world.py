"""The world of one scenario: name server, authority, partners, users and the system, up together and surely torn down.

Knows in which order things come up and go down. Does not know steps, nor what any of it is for.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from simulator.journal import Journal
from simulator.scenario.model import ADMINISTRATOR, Scenario
from simulator.scenario.model import Partner as GivenPartner
from simulator.scenario.names import entropy
from simulator.world.addresses import Addresses
from simulator.world.casting import CONTROL, CONTROL_PROFILE, Plan, control_user
from simulator.world.dns import NameServer
from simulator.world.partner.making import make_partner
from simulator.world.partner.partner import Partner
from simulator.world.seating import Seated, Seats
from simulator.world.systems.system import System, SystemFailed
from simulator.world.teardown import in_turn, surely
from simulator.world.users.partner_user import PartnerUser
from simulator.world.users.user import Inbox, User

#: How much of the system's own log is kept for the reports.
LOG_LINES = 40


class World:
    """An async context manager: inside, everything is up; afterwards nothing is left, however it was left."""

    def __init__(self, scenario: Scenario, plan: Plan, seats: Seats, journal: Journal) -> None:
        self.scenario, self.plan, self.journal = scenario, plan, journal
        self.partners: dict[str, Partner] = {}
        self.users: dict[str, User] = {}
        self.administrator = Inbox(journal, ADMINISTRATOR)
        self._seats = seats
        self._seated: Seated | None = None
        self._control_partner: tuple[Partner, PartnerUser] | None = None
        self._control_users: dict[str, User] = {}
        self._beside: set[asyncio.Task[None]] = set()

    # -- what is there

    @property
    def seated(self) -> Seated:
        """The system and its ground; only inside the context."""
        assert self._seated is not None

        return self._seated

    @property
    def system(self) -> System:
        """Whatever sits in the seat."""
        return self.seated.system

    @property
    def name_server(self) -> NameServer:
        """The only name server that anybody is pointed at."""
        return self.seated.ground.names

    @property
    def addresses(self) -> Addresses:
        """Where everybody may listen."""
        return self.seated.ground.addresses

    # -- up and down

    async def __aenter__(self) -> World:
        """Bring everything up. Raises SettingsRefused, SystemFailed, NotInstalled, OSError, DocumentError."""
        try:
            await self._bring_up()
        except BaseException:
            await surely(self._tear_down())
            raise

        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await surely(self._tear_down())

    async def start_system(self) -> None:
        """Start the system, again if it was stopped, and let its users in. Raises SettingsRefused, SystemFailed."""
        if self.seated.started:
            self.seated.renew(self._seats.seat.make)

        await self.seated.start()
        await self._admit()

    async def stop_system(self) -> None:
        """End the system, and with it whatever its users had open."""
        await self._sign_out()
        await self.seated.stop()

    def beside(self, work: asyncio.Task[None]) -> None:
        """Keep a task that runs beside the steps; it is cancelled at the end, and its failure goes on record."""
        self._beside.add(work)
        work.add_done_callback(self._over)

    async def control_partner(self) -> PartnerUser:
        """A user at a well-behaved partner that takes part in nothing, made when first asked for."""
        if self._control_partner is None:
            domain = self.plan.control_domain
            unseen = Journal(lambda: 0.0)
            partner = make_partner(
                # Able to do everything: whatever the system asks of partners, this one gets in.
                GivenPartner(domain=domain, profile=CONTROL_PROFILE, options={"tls": "optional"}),
                journal=unseen,
                names=self.name_server,
                addresses=self.addresses,
                entropy=entropy(self._seats.seed, self.scenario.id, CONTROL),
                authority=self.seated.ground.authority,
            )
            self._control_partner = partner, PartnerUser(f"{CONTROL}@{domain}", partner, unseen)
            self.seated.ground.watch((domain,), unseen)
            await partner.start()

        return self._control_partner[1]

    async def control_user(self, domain: str) -> User:
        """A user inside `domain` who takes part in nothing, signed in when first asked for. Raises ConnectionError."""
        if domain not in self._control_users:
            user = await self.system.user(control_user(self.plan.settings, domain), Journal(lambda: 0.0))
            await user.sign_in()
            self._control_users[domain] = user

        return self._control_users[domain]

    async def let_in(self, name: str) -> None:
        """Sign a user, as the scenario calls them, in on every device that they have. Raises ConnectionError."""
        for device in self.plan.habits[name].devices:
            await self.users[name].sign_in(device)

    # -- inside

    def _over(self, work: asyncio.Task[None]) -> None:
        self._beside.discard(work)

        if not work.cancelled() and (error := work.exception()) is not None:
            self.journal.record("problem", "system", text=f"{type(error).__name__}: {error}")

    async def _bring_up(self) -> None:
        plan = self.plan
        self._seated = await self._seats.take(plan.settings, self.scenario.id, alone=plan.alone)
        self._seated.ground.watch(self._domains(), self.journal, alone=not self._seated.shared)
        source = entropy(self._seats.seed, self.scenario.id, "partners")

        for name, given in self.scenario.partners.items():
            partner = self.partners[name] = make_partner(
                given,
                journal=self.journal,
                names=self.name_server,
                addresses=self.addresses,
                entropy=source,
                real=plan.real,
                scenario=self.scenario,
                authority=self.seated.ground.authority,
            )
            await partner.start()

        for address in plan.outsiders:
            partner = next(one for one in self.partners.values() if address.rpartition("@")[2] in one.names_in_scenario)
            contacts = self.scenario.users[address].get("roster")
            known = None if contacts is None else {plan.real(str(one)).lower() for one in contacts}
            habits = plan.habits[address]
            self.users[address] = PartnerUser(
                plan.real(address),
                partner,
                self.journal,
                known,
                uses_presence=habits.uses_presence,
                silent=habits.silent,
                devices=[device for device in habits.devices if device],
            )

        if self._seated.shared:
            await self._admit()
        elif plan.starts_by_itself:
            await self.start_system()

    async def _admit(self) -> None:
        """Make the users inside, and sign those in who do not do so by a step; on a restart all who were in."""
        scripted = {(step.actor, step.device) for step in self.scenario.all_steps if step.verb == "signs in"}

        for address in self.plan.insiders:
            before = self.users.get(address)
            habits = self.plan.habits[address]
            user = self.users[address] = await self.system.user(self.plan.real(address), self.journal, habits)

            if before is not None:
                user.inbox.inherit(before.inbox)

            for device in habits.devices:
                if (address, device) not in scripted:
                    await self._let_in(user, device)

    async def _let_in(self, user: User, device: str) -> None:
        try:
            await user.sign_in(device)
        except ConnectionError as error:
            raise SystemFailed(f"the system does not let {user.address} in: {error}") from error

    async def _sign_out(self) -> None:
        inside = [self.users[address] for address in self.plan.insiders if address in self.users]
        controls, self._control_users = list(self._control_users.values()), {}

        for user in (*inside, *controls):
            await user.sign_out()

    def _domains(self) -> tuple[str, ...]:
        names = {*self.scenario.partners, *self.plan.cast, *(step.actor for step in self.scenario.all_steps)}

        return tuple(self.plan.real(name).lower() for name in names if "@" not in name and "." in name)

    async def _tear_down(self) -> None:
        seated = self._seated

        if seated is None:
            return

        for text in seated.system.log_lines(LOG_LINES):
            self.journal.record("log", "system", text=text)

        for task in tuple(self._beside):
            task.cancel()

        def problem(text: str) -> None:
            self.journal.record("problem", "runner", text=text)

        control = [self._control_partner[0]] if self._control_partner else []
        ends = [("a user", self._sign_out)]

        if not seated.shared:
            ends.append(("the system", seated.stop))

        ends += [(f"partner {partner.name}", partner.stop) for partner in (*self.partners.values(), *control)]
        await in_turn(problem, *ends)
        seated.ground.unwatch((*self._domains(), self.plan.control_domain))

        if not seated.shared:
            await in_turn(problem, ("the name server", seated.ground.stop))
