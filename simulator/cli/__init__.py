"""The command line: runs a command and returns the exit code.

Knows Ctrl-C, and nothing else: whatever takes time to load is loaded where Ctrl-C already has its meaning.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; prints errors in one line."""
    try:
        from simulator.cli.execute import execute

        return execute(argv)
    except KeyboardInterrupt:
        print("s2sim: interrupted before anything was played", file=sys.stderr)
        return 128 + signal.SIGINT
