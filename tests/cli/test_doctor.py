"""``s2sim doctor`` on a running gateway and on a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.cli import main
from tests.cli.test_shell import authority, config, gateway, socket, type_in
from tests.gateway.management.conftest import GOOGLE_TALK

__all__ = ["authority", "config", "socket"]


def test_a_running_gateway_is_examined(config: Path, socket: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with gateway(config, "--control", str(socket)):
        type_in(GOOGLE_TALK, "--control", str(socket))
        assert main(["doctor", "--control", str(socket)]) == 1
        said = capsys.readouterr().out

        assert "OK    service: Lync Server XMPP Translating Gateway Proxy is started" in said
        assert "OK    port: edge listens on 127.0.0.1:" in said
        assert "OK    link: front end and edge" in said
        assert "OK    certificate for contoso.com: is for contoso.com" in said
        assert "FAIL  DNS of contoso.com: contoso.com. AAAA: the name server 127.0.0.1 port 9 cannot be asked" in said
        assert "FAIL  users and gmail.com: alice@contoso.com, ken@contoso.com may not write: the gate policy" in said
        line = "Set-CsExternalAccessPolicy -Identity Tag:FedPic -EnableXmppAccess $true"
        assert f"→ the policy Tag:FedPic forbids it: {line}" in said

        # The advice, as it stands, is what helps.
        type_in(line, "--control", str(socket))
        assert main(["doctor", "--control", str(socket)]) == 1
        assert "OK    users and gmail.com: all 2 user(s) may write" in capsys.readouterr().out

        type_in("Stop-CsWindowsService -Name RTCXMPPTGWPX", "--control", str(socket))
        assert main(["doctor", "--control", str(socket)]) == 1
        said = capsys.readouterr().out

        assert "FAIL  service: Lync Server XMPP Translating Gateway Proxy is stopped" in said
        assert "FAIL  port: edge: nobody listens on" in said
        assert "FAIL  link: the front end is not connected" in said


def test_a_file_is_examined_and_told_as_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", str(config), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)

    assert {"level", "subject", "text", "advice"} == set(found[0])
    assert all(bool(each["advice"]) == (each["level"] != "OK") for each in found)
    assert not [each for each in found if each["subject"] in ("service", "link", "port")]


@pytest.mark.parametrize(
    ("given", "words"),
    [([], "--control SOCKET"), (["--control", "/nowhere/x"], "no gateway answers"), (["--config", "lost"], "lost")],
)
def test_wrong_use_is_one_line(given: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *given]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
