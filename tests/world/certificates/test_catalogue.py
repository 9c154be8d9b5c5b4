"""The table of kinds, and how quickly any of them is there."""

from __future__ import annotations

import time

import pytest

from simulator.world.ca import CertificateAuthority
from simulator.world.certificates.catalogue import KINDS, TABLE, UnknownKind, kind_of
from simulator.world.certificates.minting import RECIPES


def test_every_kind_can_be_minted_and_every_recipe_is_of_a_kind() -> None:
    assert KINDS.keys() == RECIPES.keys()


def test_no_kind_stands_there_twice() -> None:
    names = [line.split()[0] for line in TABLE.splitlines() if not line.startswith(("==", " "))]

    assert len(names) == len(set(names)) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_is_open_says_why(kind: object) -> None:
    assert isinstance(kind, type(KINDS["valid"]))
    undecided = None in (kind.acceptable_as_client, kind.acceptable_as_server)

    assert bool(kind.leeway) == undecided
    assert kind.says
    assert kind.group in {"names", "paths", "purposes", "strength", "validity", "structure"}
    assert kind.source.startswith("RFC ")


def test_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(
        UnknownKind, match=r"no kind of certificate is called 'selfsigned'; did you mean 'self-signed'\?"
    ):
        kind_of("selfsigned")

    with CertificateAuthority() as authority, pytest.raises(UnknownKind, match="`s2sim certificates` lists them"):
        authority.mint("qqqq", "far.example")


def test_same_request_gets_the_same_certificate() -> None:
    with CertificateAuthority() as authority:
        one = authority.mint("expired", "far.example")

        assert authority.mint("expired", "FAR.example") == one
        assert authority.mint("expired", "near.example") != one
        assert authority.mint("valid", "far.example") != one


def test_minting_takes_milliseconds() -> None:
    with CertificateAuthority() as authority:
        authority.mint("valid", "far.example")
        best = float("inf")

        for number in range(20):
            began = time.process_time()
            authority.mint("valid", f"far-{number}.example")
            best = min(best, time.process_time() - began)

    # A fresh RSA key takes more than ten times as long; the bound leaves room for slow disks.
    assert best < 0.005, f"took {best * 1000:.1f} ms"


def test_rsa_keys_are_made_once() -> None:
    with CertificateAuthority() as one, CertificateAuthority() as other:
        assert one.mint("rsa", "a.example").key.read_bytes() == other.mint("rsa", "b.example").key.read_bytes()
