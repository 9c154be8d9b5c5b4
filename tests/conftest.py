"""What holds for every test, however the tests were started."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# How long an example takes is a matter of the machine, and of what else it does: an example that was only slow once
# fails as "unreliable". A test that hangs ends by its timeout.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


def pytest_configure() -> None:
    """Have the programs that tests start obey Ctrl-C and the end of a terminal as they do at one.

    Whoever ignores a signal hands that down: SIGINT the processes in which pytest-xdist runs tests, and shells to what
    they start in the background; SIGHUP nohup.
    """
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, default)
