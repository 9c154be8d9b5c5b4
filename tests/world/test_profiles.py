"""Profiles: what they publish, under which names, and what is said about those that do not exist."""

import pytest

from simulator.document import DocumentError
from simulator.world.profiles import load_profile, profile_names

HOSTS = ("xmpp-server.l.google.com", *(f"alt{number}.xmpp-server.l.google.com" for number in range(1, 5)))


def places(*hosts: str) -> dict[str, tuple[str, int]]:
    return {host: (f"127.0.0.{number}", 5269) for number, host in enumerate(hosts, 1)}


def test_google_talk_has_five_hosts_at_home() -> None:
    assert load_profile("google-talk").host_names("gmail.com") == HOSTS


def test_a_renamed_partner_has_hosts_of_its_own() -> None:
    names = load_profile("google-talk").host_names("gmail-x1.com")

    assert names == tuple(f"{host}.gmail-x1.com" for host in HOSTS)


def test_a_scenario_may_name_or_count_hosts() -> None:
    profile = load_profile("xmpp-server")

    assert profile.host_names("far.example", 2) == ("xmpp.far.example", "host2.far.example")
    assert profile.host_names("far.example", ["a.example"], str.upper) == ("A.EXAMPLE",)


def test_the_zone_holds_the_service_of_each_domain() -> None:
    zone = load_profile("google-talk").zone(["gmail.com", "googlemail.com"], places(*HOSTS)).splitlines()

    assert "_xmpp-server._tcp.gmail.com SRV 5 0 5269 xmpp-server.l.google.com." in zone
    assert "_xmpp-server._tcp.googlemail.com SRV 20 0 5269 alt4.xmpp-server.l.google.com." in zone
    assert f"{HOSTS[1]} A 127.0.0.2" in zone


def test_hosts_of_the_scenario_come_after_those_of_the_profile() -> None:
    zone = load_profile("xmpp-server").zone(["far.example"], places("xmpp.far.example", "host2.far.example"))

    assert "SRV 10 0 5269 xmpp.far.example." in zone
    assert "SRV 20 0 5269 host2.far.example." in zone


def test_the_settings_of_google_talk_are_those_of_the_documentation() -> None:
    assert load_profile("google-talk").settings == {
        "type": "public-unverified",
        "tls": "not-supported",
        "sasl": "not-supported",
        "dialback": True,
        "keepalive": False,
    }


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_shows_its_evidence(name: str) -> None:
    profile = load_profile(name)

    assert profile.name == name
    assert profile.evidence
    assert profile.as_of
    assert profile.behaviour.door == "open"


def test_a_profile_that_is_missing_names_the_others() -> None:
    with pytest.raises(DocumentError, match="google-talk, xmpp-server"):
        load_profile("goggle-talk")
