"""The partners of a scenario: made from its description, and told which of its steps will take things into hand.

Knows the model of scenarios. Does not know how a partner works: that is `partner`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from simulator.journal import Journal
from simulator.scenario import model
from simulator.scenario.model import ABILITIES
from simulator.world.addresses import Addresses
from simulator.world.dns import NameServer
from simulator.world.partner.hosts import DIRECT_TLS_PORT, XMPP_SERVER_PORT
from simulator.world.partner.papers import Authority
from simulator.world.partner.partner import Partner
from simulator.world.profiles import load_profile


def make_partner(
    given: model.Partner,
    *,
    journal: Journal,
    names: NameServer,
    addresses: Addresses,
    entropy: random.Random,
    real: Callable[[str], str] = lambda name: name,
    scenario: model.Scenario | None = None,
    authority: Authority | None = None,
) -> Partner:
    """The partner that a scenario describes (see model.PARTNER_KEYS), not yet started.

    With `scenario`, what its steps take into hand does not happen by itself: as many streams as it accepts wait for
    that step, and requests to verify wait for an answer where a step gives one. `authority` makes its certificates.
    Raises DocumentError, QuirkError.
    """
    options = given.options
    partner = Partner(
        given.domain,
        load_profile(given.profile),
        given.quirks,
        journal=journal,
        names=names,
        addresses=addresses,
        entropy=entropy,
        real=real,
        further_domains=options.get("domains", ()),
        hosts=options.get("hosts"),
        zone=real(options["dns"]) if "dns" in options else None,
        listens=options.get("listens", True),
        scripted=options.get("streams") == "scripted",
        secret=options.get("secret"),
        port=options.get("port", DIRECT_TLS_PORT if options.get("tls") == "direct" else XMPP_SERVER_PORT),
        abilities={name: options[name] for name in ABILITIES if name in options},
        authority=authority,
    )
    verbs = [step.verb for step in scenario.all_steps if step.actor in partner.names_in_scenario] if scenario else []
    partner.expected_scripts = verbs.count("accepts a stream")
    partner.holds_verification = "answers verification" in verbs

    return partner
