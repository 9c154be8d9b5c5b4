"""Sockets lie where their owner wants them, however deep that is."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from simulator.gateway.socket_path import LONGEST_PATH, short


def test_a_short_path_is_what_it_is(tmp_path: Path) -> None:
    with short(tmp_path / "control") as path:
        assert path == str(tmp_path / "control")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux names open folders")
def test_two_meet_at_a_path_that_is_longer_than_the_kernel_takes(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * LONGEST_PATH)
    folder.mkdir()

    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with pytest.raises(OSError, match="too long"):
            server.bind(str(folder / "control"))

        with short(folder / "control") as path:
            server.bind(path)

        server.listen()

        with short(folder / "control") as path:
            client.connect(path)

        assert (folder / "control").is_socket()


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError), short(tmp_path / ("x" * LONGEST_PATH) / "control"):  # noqa: PT011 - the platform's words
        pass
