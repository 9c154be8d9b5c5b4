"""The settings of access in the configuration file: errors that say where, and warnings that name closed gates."""

from pathlib import Path

import msgspec
import pytest

from simulator.document import DocumentError
from simulator.gateway.access.policy import ExternalAccessPolicy, effective_policy
from simulator.gateway.access.site import Site, find_site
from simulator.gateway.configuration import AccessEdgeConfiguration, AllowedPartner, Configuration, read_configuration

OPEN = """\
domains: [contoso.com]
users:
  - {address: alice@contoso.com, site: redmond, external-access-policy: FedPic}
  - address: bob@contoso.com
partners:
  - {identity: gmail.com, tls-negotiation: NotSupported, sasl-negotiation: NotSupported}
dns: {server: 127.0.0.1, port: 5353}
certificates:
  authority: ca.pem
  internal: {certificate: edge.pem, key: edge.key}
  sip: {certificate: edge.pem, key: edge.key}
access: {allow-federated-users: true}
policies:
  - {identity: global, enable-federation-access: true, enable-xmpp-access: true}
  - {identity: FedPic, enable-federation-access: true, enable-xmpp-access: true}
sites:
  - {identity: Redmond, xmpp-federation-route: "EdgeServer:Edge1.contoso.com"}
pools:
  - {identity: edge1.contoso.com, enable-xmpp-federation: true}
"""


def read(folder: Path, text: str) -> Configuration:
    for name in ("ca.pem", "edge.pem", "edge.key"):
        (folder / name).touch()

    file = folder / "gateway.yaml"
    file.write_text(text, encoding="utf-8")

    return read_configuration(file)


def place(text: str, words: str) -> tuple[int, int]:
    before = text[: text.index(words)]

    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_open_gates_need_no_warning(tmp_path: Path) -> None:
    configuration = read(tmp_path, OPEN)

    assert configuration.warnings == ()
    assert [policy.identity for policy in configuration.policies] == ["Global", "Tag:FedPic"]
    assert configuration.sites[0].xmpp_federation_route == configuration.pools[0].identity == "edge1.contoso.com"


@pytest.mark.parametrize(
    ("wrong", "right", "words", "message", "hint"),
    [
        ("identity: 'Tag:'", "identity: FedPic", "identity: 'Tag", "'Tag:' is no identity", "Site:NAME"),
        ("identity: 'Team:A'", "identity: FedPic", "identity: 'Team", "'Team:A' is no identity", "Tag:NAME"),
        ("identity: GLOBAL", "identity: FedPic", "identity: GLOBAL", "Global stands here twice", "remove one"),
        ("identity: 'site:Dublin'", "identity: FedPic", "identity: 'site", "no site Dublin", "known here: Redmond"),
        ("enable-xmp-access: true", "enable-xmpp-access: true", "enable-xmp-", "unknown key", "'enable-xmpp-access'"),
        ("site: redmont", "site: redmond", "site: redmont", "no site redmont", "did you mean 'Redmond'"),
        ("policy: FedPick", "policy: FedPic", "external-access-policy: FedPick", "no policy FedPick", "'FedPic'"),
        ("policy: 'site:A'", "policy: FedPic", "external-access-policy", "not granted to users", "by itself"),
        ("Edge2.contoso.com", "Edge1.contoso.com", "xmpp-federation", "no edge pool edge2.", "'edge1.contoso.com'"),
        ("blocked-domains: [a.com]\nallowed-domains: [A.com.]\ndns", "dns", "a.com]", "both allowed", "remove one"),
        (f"allowed-domains: [{'a' * 257}]\ndns", "dns", "a" * 257, "1 to 256", ""),
        ("allowed-domains: [b.com, B.com]\ndns", "dns", "B.com]", "twice", "remove one"),
        ("authorization: {message-refusal: unsubscribed}\ndns", "dns", "message-refusal", "no message", "silent or"),
        ("{outgoing-tls-count-for-federated-partners: 5}", "{allow-federated-users: true}", "outgoing", "<= 4", ""),
        ("allow-federated-user: true", "allow-federated-users: true", "allow-fed", "unknown key", "federated-users'"),
    ],
)  # fmt: skip
def test_mistake_is_reported_where_it_stands(
    tmp_path: Path, wrong: str, right: str, words: str, message: str, hint: str
) -> None:
    text = OPEN.replace(right, wrong, 1)
    assert text != OPEN

    with pytest.raises(DocumentError) as refusal:
        read(tmp_path, text)

    assert (refusal.value.line, refusal.value.column) == place(text, words)
    assert message in refusal.value.message
    assert hint in refusal.value.hint


def test_site_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="twice") as refusal:
        read(tmp_path, OPEN.replace("pools:", "  - identity: REDMOND\npools:"))

    assert (refusal.value.line, refusal.value.column) == (18, 5)


@pytest.mark.parametrize(
    ("wrong", "right", "words", "says"),
    [
        ("{allow-federated-users: false}", "{allow-federated-users: true}", "allow-", "-AllowFederatedUsers $true"),
        (
            "identity: FedPic, enable-federation-access: true, enable-xmpp-access: false",
            "identity: FedPic, enable-federation-access: true, enable-xmpp-access: true",
            "identity: FedPic",
            "alice@contoso.com cannot talk to XMPP partners; set it to true "
            "(Set-CsExternalAccessPolicy -Identity Tag:FedPic -EnableXmppAccess $true)",
        ),
        (
            "identity: global",
            "identity: global, enable-federation-access: true, enable-xmpp-access: true",
            "identity: global",
            "-EnableFederationAccess $true -EnableXmppAccess $true",
        ),
        ("Redmond}", 'Redmond, xmpp-federation-route: "EdgeServer:Edge1.contoso.com"}', "identity: R", "Set-CsSite"),
        ("contoso.com}", "contoso.com, enable-xmpp-federation: true}", "identity: edge1", "Topology Builder"),
    ],
)  # fmt: skip
def test_closed_gate_is_warned_of_where_it_stands(
    tmp_path: Path, wrong: str, right: str, words: str, says: str
) -> None:
    text = OPEN.replace(right, wrong, 1)
    (warning,) = read(tmp_path, text).warnings
    line, column = place(text, words)

    assert warning.startswith(f"{tmp_path / 'gateway.yaml'}:{line}:{column}: warning: ")
    assert says in warning


def test_gates_of_a_fresh_gateway_are_closed(tmp_path: Path) -> None:
    text = OPEN[: OPEN.index("access:")].replace(", site: redmond, external-access-policy: FedPic", "")
    federation, policy = read(tmp_path, text).warnings

    assert "allow-federated-users is false" in federation
    assert "enable-federation-access and enable-xmpp-access false: alice@contoso.com, bob@contoso.com" in policy


def test_whoever_has_no_partner_is_not_warned(tmp_path: Path) -> None:
    text = OPEN.replace("access: {allow-federated-users: true}\n", "")
    text = text.replace(
        "partners:\n  - {identity: gmail.com, tls-negotiation: NotSupported, sasl-negotiation: NotSupported}\n", ""
    )

    assert read(tmp_path, text).warnings == ()


def test_access_edge_has_the_documented_defaults() -> None:
    assert msgspec.to_builtins(AccessEdgeConfiguration()) == {
        "allow-anonymous-users": False,
        "allow-federated-users": False,
        "allow-outside-users": True,
        "be-clearing-house": False,
        "certificates-deleted-percentage": 20,
        "discovered-partner-report-period-minutes": 60,
        "discovered-partner-standard-rate": 20,
        "enable-archiving-disclaimer": False,
        "enable-discovered-partner-contacts-limit": True,
        "enable-partner-discovery": False,
        "enable-user-replicator": True,
        "keep-crls-up-to-date-for-peers": True,
        "mark-source-verifiable-on-outgoing-messages": True,
        "max-accepted-certificates-stored": 1000,
        "max-contacts-per-discovered-partner": 1000,
        "max-rejected-certificates-stored": 500,
        "outgoing-tls-count-for-federated-partners": 4,
        "routing-method": "UseDnsSrvRouting",
    }


def test_policy_has_the_documented_defaults() -> None:
    assert msgspec.to_builtins(ExternalAccessPolicy()) == {
        "identity": "Global",
        "description": "",
        "enable-federation-access": False,
        "enable-xmpp-access": False,
        "enable-public-cloud-access": False,
        "enable-public-cloud-audio-video-access": False,
        "enable-outside-access": False,
    }


@pytest.mark.parametrize("granted", [None, "FedPic", "tag:fedpic"])
@pytest.mark.parametrize("site", [None, "Redmond", "REDMOND"])
@pytest.mark.parametrize("kept", range(8))
def test_nearest_policy_counts_as_a_whole(granted: str | None, site: str | None, kept: int) -> None:
    identities = [identity for bit, identity in enumerate(("Global", "site:Redmond", "FedPic")) if kept & 1 << bit]
    policies = [ExternalAccessPolicy(identity=identity, description=identity) for identity in identities]
    counts = effective_policy(policies, granted, site)

    if granted and "FedPic" in identities:
        assert counts.description == "FedPic"
    elif site and "site:Redmond" in identities:
        assert counts.description == "site:Redmond"
    elif "Global" in identities:
        assert counts.description == "Global"
    else:
        assert counts == ExternalAccessPolicy()


def test_switches_of_two_policies_are_not_merged() -> None:
    everything = ExternalAccessPolicy(enable_federation_access=True, enable_xmpp_access=True)
    federation = ExternalAccessPolicy(identity="FedPic", enable_federation_access=True)
    counts = effective_policy([everything, federation], "FedPic", None)

    assert (counts.enable_federation_access, counts.enable_xmpp_access) == (True, False)


def test_user_without_a_site_is_in_the_first() -> None:
    sites = [Site(identity="Redmond"), Site(identity="Dublin")]

    assert find_site(sites, None) is sites[0]
    assert find_site(sites, "site:dublin") is sites[1]
    assert find_site(sites, "Paris") is None
    assert find_site([], None) is None


def test_contact_file_is_relative_to_the_configuration(tmp_path: Path) -> None:
    configuration = read(tmp_path, OPEN + "frontend: {contacts: lists/contacts.db}\n")

    assert configuration.frontend.contacts == str(tmp_path / "lists/contacts.db")
    assert read(tmp_path, OPEN).frontend.contacts is None


def test_adopted_configuration_is_seen_by_all_who_hold_the_old_one(tmp_path: Path) -> None:
    held = read(tmp_path, OPEN)
    assert held.partner_for("gmail.com") is not None
    assert held.user("bob@contoso.com") is not None
    other = msgspec.structs.replace(
        held, partners=(AllowedPartner(identity="far.example"),), users=held.users[:1], domains=("contoso.com", "b.com")
    )
    held.adopt(other)

    assert held == other
    assert held.partner_for("gmail.com") is None
    assert held.partner_for("far.example") is other.partners[0]
    assert held.user("bob@contoso.com") is None
    assert held.serves("b.com")
