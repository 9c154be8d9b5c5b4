"""What holds for every test, however the tests were started."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Have the programs that tests start obey Ctrl-C as they do at a terminal.

    Whoever ignores SIGINT hands that down: so do the processes in which pytest-xdist runs tests, and shells to what
    they start in the background.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
