"""A name for a Unix socket that is short enough for the kernel, however deep the socket lies.

Knows the limit, and how Linux lets it be got round. Does not know sockets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: bytes of the path of a Unix socket (Linux has 108, with a zero at the end; others have less)
LONGEST_PATH = 107 if sys.platform.startswith("linux") else 103


@contextmanager
def short(path: Path) -> Iterator[str]:
    """A path by which the socket at `path` can be bound and connected to, while this lasts.

    Folders of tests and of temporary files nest deeply. Linux names an open folder by its descriptor, which is short.
    Raises OSError with the reason where there is no such folder, or no short name for it.
    """
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return

    if not sys.platform.startswith("linux"):
        raise OSError(0, f"a socket's path has at most {LONGEST_PATH} bytes here; choose a shorter one")

    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)

    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
