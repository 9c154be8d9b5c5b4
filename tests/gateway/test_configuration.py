"""The gateway's configuration file: what it may hold, its defaults, and errors that say where."""

import dataclasses
import pickle
import textwrap
from pathlib import Path

import msgspec
import pytest

from simulator.document import DocumentError
from simulator.gateway.configuration import (
    AllowedPartner,
    CertificateFiles,
    CertificateSettings,
    Configuration,
    ConfigurationError,
    DNSSettings,
    GatewaySettings,
    Negotiation,
    PartnerType,
    checked,
    read_configuration,
)

COMPLETE = """\
domains: [contoso.com, Fabrikam.COM.]
users:
  - address: alice@contoso.com
    display-name: Alice
  - address: bob@fabrikam.com
partners:
  - identity: gmail.com
    additional-domains: [googlemail.com]
    tls-negotiation: NotSupported
    sasl-negotiation: NotSupported
    enable-keep-alive: false
    support-dialback-negotiation: true
dns: {server: 127.0.0.1, port: 5353}
certificates:
  authority: ca.pem
  internal: {certificate: edge.pem, key: edge.key}
  external: {certificate: edge.pem, key: edge.key}
  sip: {certificate: edge.pem, key: edge.key}
access: {allow-federated-users: true}
policies:
  - {identity: global, enable-federation-access: true, enable-xmpp-access: true}
"""
TLS_OFF = "tls-negotiation: NotSupported"
DNS = "dns: {server: 127.0.0.1, port: 5353}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("ca.pem", "edge.pem", "edge.key"):
        (tmp_path / name).touch()

    return tmp_path


def read(folder: Path, text: str) -> Configuration:
    file = folder / "gateway.yaml"
    file.write_text(text, encoding="utf-8")

    return read_configuration(file)


def refused(folder: Path, text: str) -> DocumentError:
    with pytest.raises(DocumentError) as refusal:
        read(folder, text)

    return refusal.value


def place(text: str, words: str) -> tuple[int, int]:
    """Line and column (from 1) of `words` in `text`."""
    before = text[: text.index(words)]

    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_short_file_is_enough(folder: Path) -> None:
    configuration = read(folder, COMPLETE)

    assert configuration.domains == ("contoso.com", "fabrikam.com")
    assert [user.display_name for user in configuration.users] == ["Alice", ""]
    assert configuration.certificates.authority == str(folder / "ca.pem")
    assert (configuration.edge.port, configuration.edge.link_port) == (5269, 23456)
    assert (configuration.frontend.sip_tcp_port, configuration.frontend.sip_tls_port) == (5060, 5061)
    assert configuration.warnings == ()


def test_partner_has_the_documented_defaults() -> None:
    assert msgspec.structs.asdict(AllowedPartner(identity="fabrikam.com")) == {
        "identity": "fabrikam.com",
        "additional_domains": (),
        "connection_limit": None,
        "description": "",
        "enable_keep_alive": True,
        "partner_type": PartnerType.PUBLIC_UNVERIFIED,
        "proxy_fqdn": None,
        "sasl_negotiation": Negotiation.REQUIRED,
        "tls_negotiation": Negotiation.REQUIRED,
        "support_dialback_negotiation": True,
    }


def test_gateway_has_the_documented_defaults() -> None:
    assert msgspec.structs.asdict(GatewaySettings()) == {
        "connection_limit": 1000,
        "partner_connection_limit": 20,
        "dialback_passphrase": None,
        "enable_logging_all_message_bodies": False,
        "keep_alive_interval": 300,
        "stream_establishment_timeout": 60,
        "stream_inactivity_timeout": 600,
        "subscription_refresh_interval": 28800,
    }


def test_every_documented_parameter_can_be_set(folder: Path) -> None:
    text = COMPLETE.replace(
        "    support-dialback-negotiation: true\n",
        """\
    support-dialback-negotiation: true
    connection-limit: 3
    description: a friend
    partner-type: Federated
    proxy-fqdn: proxy.example
gateway:
  connection-limit: 10
  partner-connection-limit: 5
  dialback-passphrase: s3cr3tf0rd14lb4ck
  enable-logging-all-message-bodies: true
  keep-alive-interval: 0.2
  stream-establishment-timeout: 0.3
  stream-inactivity-timeout: 0.4
  subscription-refresh-interval: 60
""",
    )
    configuration = read(folder, text)
    partner = configuration.partners[0]

    assert (partner.connection_limit, partner.proxy_fqdn, partner.partner_type) == (3, "proxy.example", "Federated")
    assert configuration.gateway.keep_alive_interval == 0.2
    assert configuration.gateway.dialback_passphrase == "s3cr3tf0rd14lb4ck"


def test_subdomains_of_a_partner_are_not_implied(folder: Path) -> None:
    configuration = read(folder, COMPLETE)

    assert configuration.partner_for("GoogleMail.com.") is configuration.partners[0]
    assert configuration.partner_for("gmail.com") is configuration.partners[0]
    assert configuration.partner_for("talk.gmail.com") is None
    assert configuration.partner_for("") is None


def test_own_domains_are_told_from_their_subdomains(folder: Path) -> None:
    configuration = read(folder, COMPLETE)

    assert configuration.serves("FABRIKAM.com")
    assert not configuration.serves("sub.fabrikam.com")


def test_users_are_found_by_any_spelling(folder: Path) -> None:
    configuration = read(folder, COMPLETE)

    assert configuration.user("ALICE@Contoso.com/desk") is configuration.users[0]
    assert configuration.user("carol@contoso.com") is None
    assert configuration.user("@") is None


@pytest.mark.parametrize(
    ("wrong", "right", "words", "message", "hint"),
    [
        ("tls-negotation: NotSupported", TLS_OFF, "tls-negotation", "unknown key", "'tls-negotiation'"),
        ("TlsNegotiation: NotSupported", TLS_OFF, "TlsNegotiation", "unknown key", "'tls-negotiation'"),
        ("tls-negotiation: notsupported", TLS_OFF, "tls-negotiation", "is none of", "'NotSupported'"),
        ("enable-keep-alive: maybe", "enable-keep-alive: false", "enable-keep-alive", "expected true or false", ""),
        ("dns: {server: 127.0.0.1, port: 0}", DNS, "port: 0", "dns.port: expected", ""),
        ("server: name.example", "server: 127.0.0.1", "server", "not the address of a name server", "such as"),
        ("dns: {}", "dns: {server: 127.0.0.1, port: 5353}", "dns", "the key 'server' is missing", ""),
        ("warnings: []\ndns:", "dns:", "warnings", "unknown key", "known here"),
        ("domains: []", "domains: [contoso.com, Fabrikam.COM.]", "domains", "at least one domain", ""),
        ("[contoso.com, CONTOSO.com, fabrikam.com]", "[contoso.com, Fabrikam.COM.]", "CONTOSO", "twice", "remove"),
        ("[contoso.com, fabrikam..com]", "[contoso.com, Fabrikam.COM.]", "fabrikam..com", "not a domain name", ""),
        ("former-domains: [Contoso.COM.]\ndns:", "dns:", "Contoso.COM.", "twice", "remove"),
        ("address: bob@elsewhere.com", "address: bob@fabrikam.com", "address: bob", "own domains", "fabrikam.com"),
        ("address: fabrikam.com", "address: bob@fabrikam.com", "address: fab", "of a user", "user@domain"),
        ("address: '@'", "address: bob@fabrikam.com", "address: '@'", "no address", "user@domain"),
        ("address: Alice@contoso.com", "address: bob@fabrikam.com", "address: Alice", "twice", ""),
        ("identity: FABRIKAM.com", "identity: gmail.com", "identity", "own domains", ""),
        ("[googlemail.com, gmail.com]", "[googlemail.com]", "gmail.com]", "already belongs", "may stand once"),
        ("proxy-fqdn: a b\n    tls-neg", "tls-neg", "proxy-fqdn", "not a domain name", ""),
        ("key: lost.key}\n  sip", "key: edge.key}\n  sip", "key: lost.key", "there is no file", ""),
    ],
)  # fmt: skip
def test_mistake_is_reported_where_it_stands(
    folder: Path, wrong: str, right: str, words: str, message: str, hint: str
) -> None:
    text = COMPLETE.replace(right, wrong)
    assert text != COMPLETE
    error = refused(folder, text)

    assert (error.line, error.column) == place(text, words)
    assert error.name == str(folder / "gateway.yaml")
    assert message in error.message
    assert hint in error.hint


def test_domain_of_two_partners_is_refused(folder: Path) -> None:
    second = "  - identity: example.org\n    additional-domains: [a.example, GOOGLEMAIL.com]\ndns:"
    text = COMPLETE.replace("dns:", second)
    error = refused(folder, text)

    assert (error.line, error.column) == place(text, "GOOGLEMAIL.com")
    assert "gmail.com" in error.message


def test_invalid_row_is_refused_with_its_reason(folder: Path) -> None:
    text = COMPLETE.replace("support-dialback-negotiation: true", "support-dialback-negotiation: false")
    error = refused(folder, text)

    assert (error.line, error.column) == place(text, "identity")
    assert "SASL or dialback must be enabled" in error.message


def test_sasl_without_tls_is_stored_with_a_warning(folder: Path) -> None:
    text = COMPLETE.replace("    sasl-negotiation: NotSupported\n", "")
    (warning,) = read(folder, text).warnings
    line, column = place(text, "identity")

    assert warning.startswith(f"{folder / 'gateway.yaml'}:{line}:{column}: warning: partner gmail.com: SASL needs TLS")


@pytest.mark.parametrize("name", ["external", "sip"])
def test_tls_without_a_certificate_is_refused(folder: Path, name: str) -> None:
    text = COMPLETE.replace(TLS_OFF, "tls-negotiation: Optional")
    error = refused(folder, text.replace(f"  {name}: {{certificate: edge.pem, key: edge.key}}\n", ""))

    assert "needs a certificate" in error.message
    assert f"certificates.{name}" in error.hint


def test_sip_over_tls_can_be_switched_off(folder: Path) -> None:
    text = COMPLETE.replace("  sip: {certificate: edge.pem, key: edge.key}\n", "frontend: {sip-tls-port: null}\n")

    assert read(folder, text).frontend.sip_tls_port is None


def test_missing_file_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"nothing\.yaml:1:1: cannot be read"):
        read_configuration(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("text", ["", "- a", "just text"])
def test_file_without_keys_is_refused(folder: Path, text: str) -> None:
    assert "expected a mapping" in refused(folder, text).message


def made(*partners: AllowedPartner) -> Configuration:
    files = CertificateFiles(certificate="a", key="b")

    return Configuration(
        domains=("contoso.com",),
        dns=DNSSettings(server="127.0.0.1"),
        certificates=CertificateSettings(authority="c", internal=files, external=files, sip=files),
        partners=partners,
    )


def test_configuration_made_in_python_is_checked_too() -> None:
    partner = AllowedPartner(identity="gmail.com", tls_negotiation=Negotiation.NOT_SUPPORTED)
    bad = msgspec.structs.replace(partner, support_dialback_negotiation=False)

    assert checked(made(partner)).warnings[0].startswith("partner gmail.com: SASL needs TLS")

    with pytest.raises(
        ConfigurationError, match=r"partners\.0\.identity: partner gmail\.com: .* is not valid"
    ) as error:
        checked(made(bad))

    assert dataclasses.astuple(error.value.fault)[0] == ("partners", 0, "identity")


def test_written_configuration_reads_back_equal(folder: Path) -> None:
    configuration = read(folder, COMPLETE)
    plain = msgspec.to_builtins(configuration)
    del plain["warnings"]
    again = read(folder, textwrap.dedent(msgspec.yaml.encode(plain).decode()))

    assert again == configuration
    assert pickle.loads(pickle.dumps(again)) == configuration
