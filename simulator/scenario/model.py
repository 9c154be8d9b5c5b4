"""What a scenario is, once it has been read: frozen values that can be pickled, listed, shown and played.

Knows the shape only. How it is read is `loader`; what the verbs mean is `steps`; whether it held is `verdict`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Level = Literal["must", "should", "may"]
Part = Literal["given", "steps"]

#: Who sits in the seat when a scenario does not say so, and who lives there and at every partner.
DEFAULT_DOMAINS = ("contoso.com",)
DEFAULT_PARTNERS = {"gmail.com": {"profile": "google-talk"}}
DEFAULT_SYSTEM_USERS = ("alice", "bob")
DEFAULT_PARTNER_USERS = ("juliet", "romeo")
DEFAULT_PROFILE = "google-talk"
DEFAULT_DEADLINE = 3.0

#: Actors that are neither a domain nor a person.
NAME_SERVER = "DNS"
SYSTEM = "the system"
ADMINISTRATOR = "the administrator"


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """Another outcome that the text also allows: the same step with another argument, or another verb instead.

    An alternative with another verb (*is disconnected* where an answer was expected) ends the stream, so the
    later steps of that actor on that stream are skipped.
    """

    verb: str
    argument: Any = None
    because: str
    """The section that allows it, e.g. ``XEP-0220 §2.5``."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence: ``ACTOR [on LABEL] VERB [as LABEL][: ARGUMENT]``."""

    index: int
    """0-based, within its part."""
    part: Part = "steps"
    actor: str
    """A partner's domain, a system's domain, a user's bare address, ``DNS``, ``the system``, ``the administrator``."""
    device: str = ""
    """Which of the user's devices, where the sentence names one."""
    verb: str
    """A name of `steps.VERBS`."""
    label: str = ""
    """The stream: what stands after ``on`` or ``as``; empty is the actor's only unnamed one."""
    argument: Any = None
    """Text (often XML), a number, a list or a mapping, as it stands in the file; rows of a matrix filled in. Of a verb
    with a contact, a mapping that holds it (see `presence_steps.in_full`)."""
    text: str
    """The sentence with its argument, on one line, as the author wrote it."""
    line: int
    level: Level = "must"
    alternatives: tuple[Alternative, ...] = ()
    within: float | None = None
    """Seconds this step may take; None is the scenario's `deadline`."""
    may_also: tuple[Any, ...] = ()
    """Patterns of what else may reach this actor, from here on."""
    covers: tuple[str, ...] = ()
    """The requirements that this step alone decides; empty: all that the scenario covers."""
    when: str = ""
    """Played only after a negotiation that came to this (authenticated, refused); empty: whatever it came to."""


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """A fake federated domain as the scenario wants it: a profile, quirks, and options of that one world."""

    domain: str
    profile: str = DEFAULT_PROFILE
    quirks: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    """The keys of `PARTNER_KEYS` other than profile and quirks."""

    @property
    def domains(self) -> tuple[str, ...]:
        """The further domains that it speaks for."""
        return tuple(self.options.get("domains") or ())


#: What a partner of a scenario may be given, for the loader's check and for its hint.
PARTNER_KEYS = {
    "profile": "a file of scenarios/profiles/, without .yaml",
    "quirks": "names of misbehaviours",
    "domains": "further domains that this partner speaks for",
    "dns": "zone text that stands instead of the profile's records",
    "hosts": "how many hosts listen for it, or their names",
    "port": "the port of its hosts, 5269 when left out",
    "listens": "false: nobody listens at its address",
    "streams": "'scripted': streams that the system opens do nothing by themselves",
    "secret": "the dialback secret",
    "tls": "none (default), optional, required or direct",
    "certificate": "a kind that `s2sim certificates` lists (default: valid), or none",
    "external": "false: SASL EXTERNAL is neither offered nor used",
    "dialback": "false: dialback is neither offered nor used",
    "options": "further settings, given to the partner as they are",
}


#: What a user of a scenario may be given.
USER_KEYS = {
    "devices": "names of devices, each signed in in place of the nameless one; `ADDRESS/DEVICE` acts",
    "dialect": "lync (default) or rfc8048: how a user agent who speaks SIP subscribes and publishes",
    "session": "true: instant messages of this user, who speaks SIP, go in sessions (INVITE)",
    "first-message": "false: the first words of a session of this user do not ride in its INVITE",
    "presence": "true: has contacts and presence, also where no step speaks of them",
    "silent": "true: the server of this user, at a partner, does nothing by itself; probes are shown to the user",
    "site": "the site of a user inside, for policies",
    "policy": "the external access policy granted to a user inside, by name",
    "roster": "of a user at a partner whose roster is a whitelist: who may write to them",
}

DIALECTS = ("lync", "rfc8048")

#: Those of `PARTNER_KEYS` that say what a partner is able to do; as they are called in `world.behaviour`.
ABILITIES = ("tls", "certificate", "external", "dialback")
TLS_ABILITIES = ("none", "optional", "required", "direct")


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, what it covers, the world it needs, and its steps: one file, or one row of its matrix."""

    id: str
    """The path below the scenarios folder without ``.yaml``; a row of a matrix adds ``[row]``."""
    claim: str
    covers: tuple[str, ...] = ()
    story: str = ""
    """Why it matters, for reports: free text."""
    file: str = ""
    line: int = 1
    row: dict[str, Any] = {}
    level: Level = "must"
    deadline: float = DEFAULT_DEADLINE
    """Seconds that a step may take unless it says `within`."""
    needs: frozenset[str] = frozenset()
    """Capabilities that the system must declare, or the verdict is UNSUPPORTED: the file's and its verbs'."""
    domains: tuple[str, ...] = DEFAULT_DOMAINS
    """The domains of the system."""
    settings: dict[str, Any] | None = None
    """What the administrator has set: partner domain -> settings, plus ``gateway`` and ``configuration``. None:
    every partner gets the recipe of its profile."""
    access: dict[str, Any] = {}
    """What else is set of the access edge, in the words of the gateway's configuration."""
    policies: tuple[dict[str, Any], ...] = ()
    """The external access policies; none: the global one, which lets everybody reach every partner."""
    partners: dict[str, Partner] = {}
    users: dict[str, dict[str, Any]] = {}
    """Everybody who exists: the usual cast at each domain and whoever is declared; address -> options."""
    given: tuple[Step, ...] = ()
    """Preconditions: one that fails makes the verdict INCONCLUSIVE."""
    steps: tuple[Step, ...] = ()
    mutants: tuple[str, ...] = ()
    """Deliberate defects of the embedded gateway that must turn it red: a claim that never failed proves nothing."""

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """`given` and `steps`, in the order in which they are played."""
        return self.given + self.steps

    def may_also_until(self, step: Step) -> tuple[Any, ...]:
        """The patterns of what else may reach the actor of `step`, said by it or by an earlier step of that actor."""
        patterns: list[Any] = []

        for earlier in self.all_steps:
            if earlier.actor == step.actor:
                patterns.extend(earlier.may_also)

            if (earlier.part, earlier.index) == (step.part, step.index):
                break

        return tuple(patterns)
