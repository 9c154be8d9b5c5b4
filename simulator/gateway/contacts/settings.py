"""What an administrator can set about contacts and presence. Durations are float seconds.

Knows the values that the home works with. Does not know files, nor where a value was set.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeSettings:
    """The settings, with their defaults."""

    refresh_interval: float = 28800.0
    """SubscriptionRefreshInterval (`Set-CsXmppGatewayConfiguration`): presence that was not heard again for so long is
    asked for, and void if there is no answer."""
    answer_time: float = 60.0
    """How long the answer to such a question may take; never more than a tenth of `refresh_interval`."""
    resend_interval: float = 86400.0
    """RFC 6121 §3.1.2: a request that nobody has answered is sent again after "some configurable amount of time"."""
    most_waiting: int = 1_000
    """Requests that wait for one user; §3.1.3 wants them limited "in aggregate or for any given contact"."""
