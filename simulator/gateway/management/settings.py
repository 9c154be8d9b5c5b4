"""How administrators reach a running gateway, and with whom they try it out.

Knows the settings. Does not know what goes over the control socket.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from simulator.gateway.settings import User
from simulator.gateway.spelling import Fault
from simulator.xmpp.address import AddressError, parse_address


class ManagementSettings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """`control` is the Unix socket on which a running gateway answers `s2sim shell`, `status` and `doctor` (None: on
    none). `test_user` is who sends the message of Test-CsXmppIM, which Lync's health monitoring calls a test user.
    """

    control: str | None = None
    test_user: str | None = None


def management_faults(settings: ManagementSettings, users: Sequence[User]) -> Iterator[Fault]:
    """A test user whom nobody knows."""
    if settings.test_user is None:
        return

    try:
        wanted = str(parse_address(settings.test_user).bare)
    except AddressError as error:
        yield Fault(("management", "test-user"), str(error), "write user@domain")
        return

    if wanted not in {user.address.lower() for user in users}:
        yield Fault(("management", "test-user"), f"there is no user {wanted}", "name one of the users")
