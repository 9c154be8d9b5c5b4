"""The files of certificates in the gateway's configuration: faults where they stand, warnings with what to do."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulator.cli import main
from simulator.document import DocumentError
from simulator.gateway.configuration import Configuration, read_configuration
from simulator.gateway.trust.identities import matches
from tests.gateway.trust.minting import AN_AUTHORITY, DAY, NOW, Identity, dns, mint, other_key

Write = Callable[..., Path]


@pytest.fixture
def certificates(words: dict[str, Any], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """The part `certificates` of a configuration with these changes; a certificate of ours becomes a file."""

    def filed(value: Any) -> Any:
        if not isinstance(value, Identity):
            return {key: filed(one) for key, one in value.items()} if isinstance(value, dict) else value

        name = f"{value.certificate.serial_number:x}"
        (tmp_path / f"{name}.pem").write_bytes(value.pem)
        (tmp_path / f"{name}.key").write_bytes(value.key_pem)

        return {"certificate": f"{name}.pem", "key": f"{name}.key"}

    def make(**changes: Any) -> dict[str, Any]:
        changed = {**words["certificates"], **{key.replace("_", "-"): filed(one) for key, one in changes.items()}}

        return {key: one for key, one in changed.items() if one is not None}

    return make


def read(file: Path) -> Configuration:
    return read_configuration(file)


def refused(file: Path) -> DocumentError:
    with pytest.raises(DocumentError) as refusal:
        read_configuration(file)

    return refusal.value


def line_of(file: Path, words: str) -> int:
    return file.read_text().split(words)[0].count("\n") + 1


def test_certificate_for_the_domain_needs_no_warning(gateway_file: Write) -> None:
    assert read(gateway_file()).warnings == ()


def test_files_are_found_from_the_folder_of_the_configuration(
    gateway_file: Write, certificates: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "lists.pem").touch()
    by_domain = {"Contoso.COM.": mint(dns("contoso.com"))}
    given = certificates(by_domain=by_domain, revocation_lists=["lists.pem"], require_revocation_lists=True)
    settings = read(gateway_file(certificates=given)).certificates

    assert settings.revocation_lists == (str(tmp_path / "lists.pem"),)
    assert list(settings.by_domain) == ["contoso.com"]
    assert Path(settings.by_domain["contoso.com"].key).is_absolute()
    assert (settings.check_revocation, settings.require_revocation_lists) == (True, True)


@pytest.mark.parametrize(
    ("changes", "place", "message", "hint"),
    [
        ({"revocation_lists": ["lost.pem"]}, "lost.pem", "there is no file", ""),
        (
            {"by_domain": {"contoso.com": {"certificate": "lost.pem", "key": "lost.key"}}},
            "certificate: lost.pem", "there is no file", "",
        ),
        ({"by_domain": {"contoso.com": {"certificat": "x", "key": "y"}}}, "certificat:", "unknown key", "certificate"),
        ({"by_domain": {"fabrikam.com": mint()}}, "fabrikam.com:", "none of the gateway's own", "contoso.com"),
        ({"by_domain": {"contoso.com": mint()}, "external": None}, "by-domain", "is missing", "certificates.external"),
        (
            {"require_revocation_lists": True, "check_revocation": False},
            "require-revocation-lists", "no partner's certificate", "revocation-lists",
        ),
    ],
    ids=["list", "by domain", "misspelled", "not ours", "no default", "no list ever"],
)  # fmt: skip
def test_mistake_is_reported_where_it_stands(
    gateway_file: Write,
    certificates: Callable[..., dict[str, Any]],
    changes: dict[str, Any],
    place: str,
    message: str,
    hint: str,
) -> None:
    file = gateway_file(certificates=certificates(**changes))
    error = refused(file)

    assert message in error.message
    assert hint in error.hint
    assert error.line == line_of(file, place)


def test_direct_tls_needs_a_certificate(
    gateway_file: Write, certificates: Callable[..., dict[str, Any]], words: dict[str, Any]
) -> None:
    given = {"certificates": certificates(external=None), "edge": {**words["edge"], "direct-tls-port": 0}}
    error = refused(gateway_file(**given))

    assert "needs a certificate" in error.message
    assert "certificates.external" in error.hint


@pytest.mark.parametrize("tls", ["Required", "Optional"])
def test_partner_with_tls_needs_a_certificate(
    gateway_file: Write, certificates: Callable[..., dict[str, Any]], tls: str
) -> None:
    partner = {"identity": "far.example", "tls-negotiation": tls}
    error = refused(gateway_file(certificates=certificates(external=None), partners=[partner]))

    assert error.message == f"partner far.example: tls-negotiation {tls} needs a certificate"
    assert "certificates.external" in error.hint
    assert "s2sim gateway request-certificate" in error.hint


SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (mint(dns("sip.contoso.com")), "is not for contoso.com: partners that verify certificates refuse it; request"),
        (mint(common="contoso.com"), "is not for contoso.com"),
        (mint(dns("*.contoso.com")), "is not for contoso.com"),
        (mint(dns("contoso.com"), before=NOW - 9 * DAY, after=NOW - DAY), "expired on"),
        (mint(dns("contoso.com"), before=NOW + DAY), "is not valid before"),
        (mint(dns("contoso.com"), *AN_AUTHORITY), "is that of an authority"),
        (mint(dns("contoso.com"), (x509.ExtendedKeyUsage([CLIENT]), False)), "is not meant for a TLS server"),
    ],
    ids=["another name", "common name", "wildcard", "expired", "not yet", "authority", "clients only"],
)
@pytest.mark.parametrize("place", ["external", "by_domain"])
def test_certificate_that_partners_will_refuse_is_warned_of(
    gateway_file: Write, certificates: Callable[..., dict[str, Any]], place: str, identity: Identity, text: str
) -> None:
    changes = {"external": identity} if place == "external" else {"by_domain": {"contoso.com": identity}}
    file = gateway_file(certificates=certificates(**changes))
    (warning,) = read(file).warnings

    name = f"{identity.certificate.serial_number:x}.pem"
    assert warning.startswith(f"{file}:{line_of(file, f'certificate: {name}')}:")
    assert "warning: " in warning
    assert text in warning


def test_certificate_for_servers_only_needs_no_warning(
    gateway_file: Write, certificates: Callable[..., dict[str, Any]]
) -> None:
    usual = mint(dns("contoso.com"), (x509.ExtendedKeyUsage([SERVER]), False))

    assert read(gateway_file(certificates=certificates(external=usual))).warnings == ()


def test_own_certificate_of_a_domain_speaks_for_it_alone(
    gateway_file: Write, certificates: Callable[..., dict[str, Any]]
) -> None:
    given = certificates(by_domain={"fabrikam.com": mint(dns("contoso.com"))})
    (warning,) = read(gateway_file(domains=["contoso.com", "fabrikam.com"], certificates=given)).warnings

    assert "is not for fabrikam.com" in warning


def test_certificate_for_the_request_lets_the_gateway_start(
    gateway_file: Callable[..., Path], words: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    """From no certificate, through request and authority, to a gateway whose partner needs TLS."""
    partner = {"identity": "far.example"}
    without = {name: files for name, files in words["certificates"].items() if name != "external"}
    file = gateway_file(certificates=without, partners=[partner])

    with started(file) as process:
        _, complaints = process.communicate(timeout=20)

    assert process.returncode == 2
    assert "request-certificate" in complaints

    assert main(["gateway", "request-certificate", "--config", str(file), "--output", str(tmp_path)]) == 0
    (tmp_path / "sip.contoso.com.pem").write_bytes(issued((tmp_path / "sip.contoso.com.csr").read_bytes()))
    files = {"certificate": "sip.contoso.com.pem", "key": "sip.contoso.com.key"}

    with started(gateway_file(certificates={**without, "external": files}, partners=[partner])) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("s2sim gateway ready ")
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=20)

    assert process.returncode == 0
    assert "sip.contoso.com.pem" not in complaints


@contextmanager
def started(file: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "simulator", "gateway", "--config", str(file)]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def issued(request: bytes) -> bytes:
    """What an authority makes of a request: a certificate with its key and its names."""
    asked = x509.load_pem_x509_csr(request)
    names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    authority = mint(*AN_AUTHORITY, common="authority", key=other_key(20))
    key = asked.public_key()
    certificate = (
        x509.CertificateBuilder(authority.certificate.subject, asked.subject, key)
        .serial_number(7)
        .not_valid_before(authority.certificate.not_valid_before_utc)
        .not_valid_after(authority.certificate.not_valid_after_utc)
        .add_extension(names, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    assert matches(certificate, "contoso.com")

    return Identity(certificate, authority.key).pem
