"""Where the TLS secrets of a run go, so that a capture of it can be read: the file of ``--keylog``.

Knows the file and the variable that names it. Who writes secrets there is the TLS of everybody who plays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.cli.lookup import write

#: The convention of curl, browsers and Python's ssl: whoever makes a TLS context looks here.
VARIABLE = "SSLKEYLOGFILE"


@contextmanager
def logging_keys(file: Path | None) -> Iterator[None]:
    """While this lasts, all TLS of ours, also of processes that we start, appends its secrets to the file, if any.

    Made for its owner alone where it does not exist. Raises WrongUse when it cannot be written.
    """
    if file is None:
        yield
        return

    # Appended to, never emptied: a slip of the hand must not cost somebody's file.
    write(lambda: os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)), "--keylog FILE")
    before = os.environ.get(VARIABLE)
    # Our processes have folders of their own.
    os.environ[VARIABLE] = str(file.absolute())

    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
