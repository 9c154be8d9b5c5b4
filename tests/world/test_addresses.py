"""Loopback addresses: one each, never shared between processes, with a way out where there is only one."""

import secrets
import socket
import subprocess
import sys

import pytest

from simulator.world.addresses import Addresses, NoAddress


def listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port))


def block(host: str) -> str:
    return host.rpartition(".")[0]


def test_each_member_listens_on_the_true_port() -> None:
    with Addresses(own_addresses=True) as ours:
        hosts = [ours.take(name) for name in ("gmail.com", "contoso.com")]

        with listen(hosts[0], ours.port(5269)), listen(hosts[1], ours.port(5269)):
            assert len(set(hosts)) == 2
            assert all(host.startswith("127.") for host in hosts)


def test_same_member_keeps_its_address() -> None:
    with Addresses(own_addresses=True) as ours:
        assert ours.take("gmail.com") == ours.take("gmail.com")


def test_address_given_back_rests_longest() -> None:
    with Addresses(own_addresses=True) as ours:
        first = ours.take("gmail.com")
        ours.give_back("gmail.com")
        ours.give_back("gmail.com")
        rest = [ours.take(str(number)) for number in range(254)]

        assert rest[-1] == first
        assert len(set(rest)) == 254


def test_thousand_members_get_thousand_addresses() -> None:
    with Addresses(own_addresses=True) as ours:
        assert len({ours.take(str(number)) for number in range(1000)}) == 1000


def test_two_processes_never_share_a_block() -> None:
    program = """
import secrets, sys
from simulator.world import addresses
secrets.randbelow = lambda count: 7
ours = addresses.Addresses(own_addresses=True)
print(ours.take("gmail.com"), flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        theirs = other.stdout.readline().strip()

        # Both would draw the same block: the second process must find it taken.
        second = subprocess.run([sys.executable, "-c", program], input="", capture_output=True, text=True, check=False)
        other.stdin.close()

    assert block(theirs) == "127.8.7"
    assert "no free block" in second.stderr


def test_block_is_free_again_after_close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda count: 9)

    with Addresses(own_addresses=True) as ours:
        first = ours.take("gmail.com")

        with Addresses(own_addresses=True) as others, pytest.raises(NoAddress):
            others.take("gmail.com")

    with Addresses(own_addresses=True) as others:
        assert others.take("gmail.com") == first


def test_without_own_addresses_ports_are_free_ones() -> None:
    with Addresses(own_addresses=False) as ours:
        hosts = [ours.take(name) for name in ("gmail.com", "contoso.com")]

        with listen(hosts[0], ours.port(5269)) as one, listen(hosts[1], ours.port(5269)) as other:
            assert hosts == ["127.0.0.1", "127.0.0.1"]
            assert one.getsockname() != other.getsockname()
            ours.give_back("gmail.com")
