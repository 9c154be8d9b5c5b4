"""By which signals people and systems interrupt a run.

Knows which of them count here. Does not know what is done about it.
"""

from __future__ import annotations

import signal

#: Ctrl-C, an orderly end, and a terminal that was closed
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded() -> list[signal.Signals]:
    """Those that interrupt this process: whoever has said ``nohup`` means it, and SIGHUP stays ignored."""
    return [
        number
        for number in INTERRUPTIONS
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]
