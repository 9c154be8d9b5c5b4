"""An id of XMPP travels in a branch and comes out again (RFC 7572 Tables 1 and 2)."""

from __future__ import annotations

import random
import re

from hypothesis import given
from hypothesis import strategies as st

from simulator.sip.identifiers import Identifiers, id_in_branch


@given(st.text(min_size=1, max_size=40))
def test_any_id_comes_out_of_its_branch(carried: str) -> None:
    try:
        carried.encode()
    except UnicodeEncodeError:
        return

    branch = Identifiers(random.Random(1)).branch(carried)

    assert re.fullmatch(r"z9hG4bK[A-Za-z0-9\-.!%*_+`'~]+", branch)
    assert id_in_branch(branch) == carried


def test_same_id_twice_has_two_branches() -> None:
    identifiers = Identifiers()

    assert identifiers.branch("m1") != identifiers.branch("m1")


def test_foreign_branch_is_taken_whole() -> None:
    assert id_in_branch("z9hG4bKeskdgs677") == "eskdgs677"
    assert id_in_branch("z9hG4bK-%41~1") == "-%41~1"


def test_seed_repeats_every_identifier() -> None:
    first, second = Identifiers(random.Random(7)), Identifiers(random.Random(7))

    assert [first.fresh(), first.branch("x")] == [second.fresh(), second.branch("x")]
