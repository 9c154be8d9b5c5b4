"""What a scenario asks of its world, worked out before anything is brought up.

Knows scenarios, profiles and names. Does not start anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.scenario.model import Scenario, Step
from simulator.scenario.names import fresh_names, recast, token
from simulator.scenario.presence_steps import NOT_OF_PRESENCE, PRESENCE_VERBS
from simulator.scenario.steps import VERBS
from simulator.world.profiles import load_profile
from simulator.world.systems.system import SystemSettings
from simulator.world.users.habits import Habits, read_habits

#: Who proves that nothing came: a user of this name inside, and a partner of their own outside.
CONTROL = "control"
CONTROL_PROFILE = "xmpp-server"
#: How a partner that is able to do TLS is allowed where a scenario has no settings: each side may do what it can.
ANYTHING = {"tls": "optional", "sasl": "optional", "dialback": True}
NO_TLS = "none"
#: Keys of a scenario's settings that are no partner.
GATEWAY, CONFIGURATION = "gateway", "configuration"
#: Options of a user inside that are the administrator's -> how the gateway's configuration calls them.
ADMINISTERED = {"site": "site", "policy": "external-access-policy"}
#: Steps that only somebody who uses presence can do, or see.
OF_PRESENCE = {verb.name for verb in PRESENCE_VERBS} - NOT_OF_PRESENCE


@dataclass(frozen=True)
class Plan:
    """Who plays whom, and what the system's administrator has set; all names in `settings` are real."""

    cast: dict[str, str]
    settings: SystemSettings
    control_domain: str
    insiders: tuple[str, ...]
    """Users of the system whom some step needs, as the scenario calls them."""
    outsiders: tuple[str, ...]
    """Users of partners."""
    habits: dict[str, Habits]
    """Of everybody, as the scenario calls them."""
    alone: bool
    """The scenario harms, stops or starts its system, so it must not be another scenario's, too."""
    starts_by_itself: bool
    """Whether the system is started before the first step."""

    @property
    def uses_presence(self) -> bool:
        """Whether anybody has contacts and presence."""
        return any(habits.uses_presence for habits in self.habits.values())

    def real(self, name: str) -> str:
        """The real name for one of the scenario's, or for a text that holds some."""
        named: str = recast(name, self.cast)

        return named


def plan(scenario: Scenario, seed: int, *, shared: bool) -> Plan:
    """Work out names and settings; on a `shared` system partners and users get fresh names. Raises DocumentError."""
    verbs = {step.verb for step in scenario.all_steps if "system" in VERBS[step.verb].actors}
    alone = any({"system", "administrator"}.intersection(VERBS[step.verb].actors) for step in scenario.all_steps)
    insiders = tuple(address for address in scenario.users if _domain(address) in scenario.domains)
    outsiders = tuple(address for address in scenario.users if _domain(address) not in scenario.domains)
    cast = fresh_names(_outside(scenario) | dict.fromkeys(insiders), seed, scenario.id) if shared and not alone else {}
    mark = token(seed, scenario.id)
    control_domain = f"{CONTROL}-{mark}.example"
    everybody = [*(recast(address, cast) for address in insiders), *(f"{CONTROL}-{mark}@{d}" for d in scenario.domains)]
    given = scenario.settings or {}
    presence = any(step.verb in OF_PRESENCE for step in scenario.all_steps)

    return Plan(
        cast=cast,
        settings=SystemSettings(
            domains=scenario.domains,
            users=tuple(everybody),
            partners=_allowed(scenario, cast, control_domain),
            gateway=recast(given.get(GATEWAY, {}), cast),
            configuration=recast(_configuration(scenario, given.get(CONFIGURATION, {})), cast),
        ),
        control_domain=control_domain,
        insiders=tuple(address for address in insiders if _matters(scenario, address)),
        outsiders=outsiders,
        habits={address: read_habits(options, uses_presence=presence) for address, options in scenario.users.items()},
        alone=alone,
        starts_by_itself=not verbs & {"starts", "refuses its settings"},
    )


def control_user(settings: SystemSettings, domain: str) -> str:
    """The real address of the user inside who takes part in no scenario."""
    return next(
        address for address in settings.users if address.startswith(f"{CONTROL}-") and _domain(address) == domain
    )


def _outside(scenario: Scenario) -> dict[str, None]:
    """Every domain that is not the system's, as the scenario calls it."""
    names: dict[str, None] = dict.fromkeys(scenario.partners)

    for name, partner in scenario.partners.items():
        profile = load_profile(partner.profile)
        names |= dict.fromkeys(partner.options.get("domains", ()))
        names |= dict.fromkeys(profile.additional_domains if name == profile.home else ())

    names |= {name: None for name in scenario.settings or {} if name not in (GATEWAY, CONFIGURATION)}
    names |= {step.actor: None for step in scenario.all_steps if "." in step.actor and "@" not in step.actor}

    return {name: None for name in names if name not in scenario.domains}


def _allowed(scenario: Scenario, cast: Mapping[str, str], control_domain: str) -> dict[str, Mapping[str, Any]]:
    """The allowed partners: those of the scenario's settings, or each partner by the recipe of its profile."""
    if scenario.settings is None:
        allowed = {name: _recipe(name, partner.profile, partner.options) for name, partner in scenario.partners.items()}
    else:
        allowed = {name: given for name, given in scenario.settings.items() if name not in (GATEWAY, CONFIGURATION)}

    real: dict[str, Mapping[str, Any]] = recast(allowed, cast)

    if any(_needs_control(step) for step in scenario.all_steps):
        # A barrier is an exchange with somebody who is allowed, too.
        real[control_domain] = load_profile(CONTROL_PROFILE).settings

    return real


def _configuration(scenario: Scenario, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is set of the gateway's configuration, with what the scenario says of access, policies and its users."""
    users = {
        address: {word: options[key] for key, word in ADMINISTERED.items() if key in options}
        for address, options in scenario.users.items()
    }
    said = {address: words for address, words in users.items() if words}

    words: dict[str, Any] = dict(given)

    if scenario.access:
        words["access"] = {**given.get("access", {}), **scenario.access}

    if scenario.policies:
        words["policies"] = list(scenario.policies)

    return {**words, "users": {**said, **given.get("users", {})}} if said else words


def _needs_control(step: Step) -> bool:
    """Whether somebody who takes part in nothing must be able to write to the people of this step."""
    return "@" in step.actor and (VERBS[step.verb].expects == "quiet" or step.verb in OF_PRESENCE)


def _recipe(name: str, profile_name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    profile = load_profile(profile_name)
    further = dict.fromkeys(
        (*(profile.additional_domains if name == profile.home else ()), *options.get("domains", ()))
    )

    # Without settings a scenario is about streams and stanzas: whom a partner's users may reach does not enter into it.
    settings = {word: value for word, value in profile.settings.items() if word != "type"}

    return {
        **settings,
        **(ANYTHING if options.get("tls", NO_TLS) != NO_TLS else {}),
        **({"additional": list(further)} if further else {}),
    }


def _matters(scenario: Scenario, address: str) -> bool:
    """Whether a user inside acts or is spoken of; nobody else needs to be there, unless nothing is played at all."""
    return not scenario.all_steps or any(address in step.text for step in scenario.all_steps)


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
