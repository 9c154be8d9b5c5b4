"""The same seed gives the same names, and recasting touches names and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario.names import TOKEN_LENGTH, entropy, fresh_names, recast, token

CAST = {"gmail.com": "gmail-k3f9.com", "alice@contoso.com": "alice-k3f9@contoso.com"}


def test_the_same_seed_gives_the_same_names() -> None:
    first = fresh_names(["gmail.com", "alice@contoso.com"], 7, "dialback/wrong-key")

    assert first == fresh_names(["gmail.com", "alice@contoso.com"], 7, "dialback/wrong-key")
    assert first != fresh_names(["gmail.com", "alice@contoso.com"], 8, "dialback/wrong-key")
    assert first != fresh_names(["gmail.com", "alice@contoso.com"], 7, "dialback/right-key")


def test_the_same_seed_gives_the_same_chance() -> None:
    assert entropy(1, "a", "ids").random() == entropy(1, "a", "ids").random()
    assert entropy(1, "a", "ids").random() != entropy(1, "a", "keys").random()


def test_a_fresh_name_keeps_its_shape() -> None:
    mark = token(0, "x")

    assert len(mark) == TOKEN_LENGTH
    assert fresh_names(["Gmail.com", "bob@contoso.com"], 0, "x") == {
        "gmail.com": f"gmail-{mark}.com",
        "bob@contoso.com": f"bob-{mark}@contoso.com",
    }


def test_a_subdomain_follows_its_parent() -> None:
    assert list(fresh_names(["gmail.com", "chat.gmail.com"], 0, "x")) == ["gmail.com"]


def test_both_spellings_of_a_name_stay_one() -> None:
    unicode, ascii_ = fresh_names(["bücher.example", "xn--bcher-kva.example"], 0, "x").values()

    assert unicode.encode("idna").decode() == ascii_


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("gmail.com", "gmail-k3f9.com"),
        ("GMAIL.COM", "GMAIL-K3F9.COM"),
        ("Gmail.Com", "Gmail-K3F9.Com"),
        ("juliet@gmail.com/balcony", "juliet@gmail-k3f9.com/balcony"),
        ("_xmpp-server._tcp.gmail.com.", "_xmpp-server._tcp.gmail-k3f9.com."),
        ("<a from='gmail.com' to='alice@contoso.com/x'/>", "<a from='gmail-k3f9.com' to='alice-k3f9@contoso.com/x'/>"),
        ("I wrote to gmail.com. Twice.", "I wrote to gmail-k3f9.com. Twice."),
        ("notgmail.com", "notgmail.com"),
        ("not-gmail.com", "not-gmail.com"),
        ("gmail.com.evil.example", "gmail.com.evil.example"),
        ("gmail.community", "gmail.community"),
        ("gmailxcom", "gmailxcom"),
        ("malice@contoso.com", "malice@contoso.com"),
    ],
)
def test_names_are_recast_where_they_are_names(text: str, real: str) -> None:
    assert recast(text, CAST) == real


def test_lists_and_mappings_are_recast_throughout() -> None:
    assert recast({"gmail.com": ["gmail.com", 1, None]}, CAST) == {"gmail-k3f9.com": ["gmail-k3f9.com", 1, None]}
    assert recast(("gmail.com",), CAST) == ("gmail-k3f9.com",)
    assert recast("gmail.com", {}) == "gmail.com"


@given(st.text("abc.-@ ", max_size=20))
def test_text_without_names_is_left_alone(text: str) -> None:
    assert recast(text, CAST) == text
