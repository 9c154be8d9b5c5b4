"""The home of the gateway's users, as the front end sets it up: with its file, its settings and its gates.

Knows which setting is which. Does not know what the home does.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from simulator.gateway.access.point import AccessPoint
from simulator.gateway.configuration import Configuration
from simulator.gateway.contacts.home import Home
from simulator.gateway.contacts.rules import HomeRules
from simulator.gateway.contacts.settings import HomeSettings
from simulator.gateway.contacts.store import ContactStore


def make_home(
    configuration: Configuration,
    rules: HomeRules | None,
    *,
    access: AccessPoint,
    send: Callable[[Element], None],
    make_id: Callable[[], str],
    log: Callable[[str], None],
) -> Home:
    """A home that was not opened yet; settings are looked up whenever they are needed."""

    def settings() -> HomeSettings:
        return HomeSettings(
            refresh_interval=configuration.gateway.subscription_refresh_interval,
            resend_interval=configuration.frontend.subscription_resend_interval,
            most_waiting=configuration.frontend.most_pending_requests,
        )

    return Home(
        ContactStore(configuration.frontend.contacts),
        rules,
        exists=lambda user: configuration.user(str(user)) is not None,
        access=access,
        send=send,
        make_id=make_id,
        settings=settings,
        log=log,
    )
