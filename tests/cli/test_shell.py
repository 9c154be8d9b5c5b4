"""``s2sim shell``, ``status`` and ``gateway --script``, with a gateway in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.cli import main
from simulator.world.ca import CertificateAuthority
from tests.gateway.management.conftest import GOOGLE_TALK

S2SIM = [sys.executable, "-m", "simulator"]


@pytest.fixture(scope="module")
def authority() -> Iterator[CertificateAuthority]:
    with CertificateAuthority() as authority:
        yield authority


@pytest.fixture
def config(authority: CertificateAuthority, tmp_path: Path) -> Path:
    """A gateway on free ports, with two users and no partner; its name server answers nothing."""

    def pair(*names: str) -> dict[str, str]:
        files = authority.issue(*names)

        return {"certificate": str(files.certificate), "key": str(files.key)}

    words: dict[str, Any] = {
        "domains": ["contoso.com"],
        "users": [{"address": "alice@contoso.com"}, {"address": "ken@contoso.com", "display-name": "Ken Myer"}],
        "dns": {"server": "127.0.0.1", "port": 9, "timeout": 0.2},
        "edge": {"port": 0, "link-port": 0},
        "frontend": {"sip-tcp-port": 0, "sip-tls-port": None},
        "certificates": {
            "authority": str(authority.authority),
            "internal": pair("link.internal"),
            "external": pair("contoso.com"),
        },
        "retry": {"link-first": 0.02, "link-longest": 0.1},
    }
    file = tmp_path / "gateway.yaml"
    file.write_text(yaml.safe_dump(words), encoding="utf-8")

    return file


@pytest.fixture
def socket() -> Iterator[Path]:
    """A path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="s2s") as folder:
        yield Path(folder) / "control"


@contextmanager
def gateway(config: Path, *options: str) -> Iterator[str]:
    """A running gateway; gives the line with which it said that it is ready."""
    process = subprocess.Popen(
        [*S2SIM, "gateway", "--config", str(config), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("s2sim gateway ready"), line
        yield line
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout is not None
        process.stdout.close()


def type_in(text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """What a shell says to lines on its standard input."""
    return subprocess.run(
        [*S2SIM, "shell", *options], input=text, capture_output=True, text=True, timeout=50, check=False
    )


def test_a_running_gateway_is_administered_and_tells_its_status(
    config: Path, socket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gateway(config, "--control", str(socket)):
        assert oct(socket.stat().st_mode & 0o777) == "0o600"

        said = type_in(GOOGLE_TALK, "--control", str(socket))
        assert (said.returncode, said.stderr) == (0, "")
        assert "SupportDialbackNegotiation : True" in said.stdout

        # Another session sees what the first one did.
        said = type_in("Get-CsXmppAllowedPartner | Format-Table Identity, TlsNegotiation", "--control", str(socket))
        assert said.stdout.split() == [
            "Identity", "TlsNegotiation", "--------", "--------------", "gmail.com", "NotSupported"
        ]  # fmt: skip

        assert main(["status", "--control", str(socket), "--json"]) == 0
        status = json.loads(capsys.readouterr().out)
        assert {state for computers in status["services"].values() for state in computers.values()} == {"Running"}
        assert status["links"][0]["up"] is True

        assert main(["status", "--control", str(socket)]) == 0
        assert "Failed outbound stream establishes/sec" in capsys.readouterr().out

    assert not socket.exists()


def test_services_stop_and_start_and_ports_are_seen(config: Path, socket: Path) -> None:
    with gateway(config, "--control", str(socket)) as ready:
        port = ready.partition("edge=")[2].split()[0].rpartition(":")[2]
        lines = f"""
            Get-CsWindowsService | Select-Object -ExpandProperty Status
            netstat -ano | findstr {port}
            Stop-CsWindowsService
            Get-CsWindowsService | Select-Object -ExpandProperty Status
            netstat -ano | findstr {port}
            Start-CsWindowsService
            Get-CsWindowsService | Where-Object {{$_.Status -ne "Running"}} | Start-CsWindowsService
            netstat -ano | findstr {port}
        """
        said = type_in(lines, "--control", str(socket))

        assert said.stderr == ""
        listening = f"  TCP    127.0.0.1:{port}"
        assert [line[: len(listening)] for line in said.stdout.splitlines()] == [
            "Running", "Running", listening, "Stopped", "Stopped", listening
        ]  # fmt: skip


def test_a_test_message_tells_which_gate_is_closed(config: Path, socket: Path) -> None:
    with gateway(config, "--control", str(socket)):
        said = type_in(
            "Test-CsXmppIM -TargetFqdn pool.contoso.com -Receiver r@gmail.com -UserSipAddress sip:alice@contoso.com",
            "--control",
            str(socket),
        )

        assert "WARNING: gmail.com is no allowed XMPP partner." in said.stdout
        assert "Target Fqdn   : pool.contoso.com\nResult        : Failure\nLatency       : 00:00:00\n" in said.stdout
        assert "Error Message : 403" in said.stdout
        assert "Diagnosis     : 1012;" in said.stdout

        said = type_in(
            f"Test-CsXmppIM pool.contoso.com -Receiver r@gmail.com -ua alice@contoso.com -rp 1; {GOOGLE_TALK}"
            "Test-CsXmppIM pool.contoso.com -Receiver r@gmail.com -ua alice@contoso.com",
            "--control",
            str(socket),
        )
        assert "Error Message : 10061 Connection refused" in said.stdout
        assert "Diagnosis     : 1002;" in said.stdout


def test_a_script_runs_before_the_gateway_is_ready(config: Path, socket: Path, tmp_path: Path) -> None:
    script = tmp_path / "google.ps1"
    script.write_text(GOOGLE_TALK, encoding="utf-8-sig")

    with gateway(config, "--script", str(script), "--control", str(socket)):
        said = type_in("Get-CsUser | Select-Object -ExpandProperty ExternalAccessPolicy", "--control", str(socket))
        assert said.stdout.split() == ["FedPic", "FedPic"]


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("Get-CsUser\n\nNew-CsXmppAllowedPartner gmail.com -Tls Nothing\n", "3:41: Cannot bind parameter"),
        ("Get-CsUser\nNew-CsXmppAllowedPartner 'gmail.com\n", "2:26: The string is missing the terminator"),
        ("Get-CsUzer\n", "1:1: The term 'Get-CsUzer'"),
    ],
)
def test_a_bad_line_keeps_the_gateway_from_being_ready(config: Path, tmp_path: Path, lines: str, place: str) -> None:
    script = tmp_path / "bad.ps1"
    script.write_text(lines)
    ended = subprocess.run(
        [*S2SIM, "gateway", "--config", str(config), "--script", str(script)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert ended.returncode == 2
    assert f"{script}:{place}" in ended.stderr
    assert ended.stdout == ""


def test_a_file_is_changed_in_a_copy_that_can_be_saved(config: Path, tmp_path: Path) -> None:
    before, saved = config.read_text(), tmp_path / "saved.yaml"
    said = type_in(GOOGLE_TALK, "--config", str(config))
    assert "--save FILE keeps what was changed" in said.stderr

    said = type_in(GOOGLE_TALK, "--config", str(config), "--save", str(saved))
    assert said.returncode == 0
    assert config.read_text() == before
    assert oct(saved.stat().st_mode & 0o777) == "0o600"
    assert yaml.safe_load(saved.read_text())["partners"] == [
        {
            "identity": "gmail.com",
            "enable-keep-alive": False,
            "sasl-negotiation": "NotSupported",
            "tls-negotiation": "NotSupported",
        }
    ]

    said = type_in("Get-CsUser -Filter {ExternalAccessPolicy -eq 'FedPic'} | ft SipAddress", "--config", str(saved))
    assert said.stdout.split() == ["SipAddress", "----------", "sip:alice@contoso.com", "sip:ken@contoso.com"]


def test_a_question_that_nobody_can_answer_is_an_error(config: Path, socket: Path) -> None:
    line = "New-CsXmppAllowedPartner gmail.com -Confirm"

    with gateway(config, "--control", str(socket)):
        for where in (["--control", str(socket)], ["--config", str(config)]):
            said = type_in(line, *where)
            assert (said.returncode, said.stdout) == (1, "")
            assert "New-CsXmppAllowedPartner : Windows PowerShell is in NonInteractive mode." in said.stderr


def test_the_first_error_of_a_script_ends_it(config: Path, tmp_path: Path) -> None:
    script = tmp_path / "lines.ps1"
    script.write_text("Get-CsXmppAllowedPartner none.example\nWrite-Output after\n")
    said = type_in("", "--config", str(config), "--script", str(script))

    assert said.returncode == 1
    assert f"At {script}:1 char:1" in said.stderr
    assert "after" not in said.stdout


def test_what_is_typed_goes_on_until_it_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    from simulator.cli.shell import MORE, PROMPT, _typed

    typed = iter(["Get-CsUser |", "  ft", "", "'never ends", "", "$x = 1", "exit", "unread"])
    prompts: list[str] = []

    def read(prompt: str) -> str:
        prompts.append(prompt)

        return next(typed)

    assert list(_typed(read)) == ["Get-CsUser |\n  ft", "'never ends\n", "$x = 1"]
    assert prompts == [PROMPT, MORE, PROMPT, PROMPT, MORE, PROMPT, PROMPT]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["shell"], "--control SOCKET"),
        (["shell", "--control", "a", "--config", "b"], "which gateway?"),
        (["shell", "--control", "/nowhere/socket"], "no gateway answers on /nowhere/socket"),
        (["shell", "--config", "lost.yaml"], "lost.yaml"),
        (["status", "--control", "/nowhere/socket"], "no gateway answers"),
        (["status", "--control", "/nowhere/" + "x" * 200], "no gateway answers on /nowhere/xxx"),
    ],
    ids=str,
)
def test_wrong_use_is_one_line(given: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(given) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_a_socket_left_behind_is_replaced_and_one_in_use_is_not(
    config: Path, socket: Path, tmp_path: Path, gateway_starts: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    import socket as sockets

    with sockets.socket(sockets.AF_UNIX) as left_behind:
        left_behind.bind(str(socket))

    with gateway(config, "--control", str(socket)):
        second = gateway_starts("--control", str(socket))
        assert second.returncode == 3
        assert "another gateway listens on" in second.stderr

        plain = tmp_path / "file"
        plain.touch()
        assert "is no socket" in gateway_starts("--control", str(plain)).stderr


@pytest.fixture
def gateway_starts(config: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Start a gateway that is expected to fail."""

    def start(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*S2SIM, "gateway", "--config", str(config), *options],
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    return start
