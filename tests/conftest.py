"""What holds for every test, however the tests were started."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# How long an example takes is a matter of the machine, and of what else it does: an example that was only slow once
# fails as "unreliable". A test that hangs ends by its timeout.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


def pytest_configure() -> None:
    """Have the programs that tests start obey Ctrl-C as they do at a terminal.

    Whoever ignores SIGINT hands that down: so do the processes in which pytest-xdist runs tests, and shells to what
    they start in the background.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
