"""The request for the Edge's certificate: names as Lync's planning has them, a key for one pair of eyes."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulator.document import DocumentError
from simulator.gateway.trust.identities import SRV_NAME
from simulator.gateway.trust.request import RequestError, domains_in, make_request, names_for, write_request


def test_names_are_those_of_an_edge() -> None:
    assert names_for(["contoso.com", "fabrikam.com"]) == (
        "sip.contoso.com",
        "sip.fabrikam.com",
        "contoso.com",
        "fabrikam.com",
    )
    assert "webcon.contoso.com" in names_for(["contoso.com"], web_conferences=True)
    assert not any("webcon" in name for name in names_for(["contoso.com"]))


def test_names_are_written_as_certificates_have_them() -> None:
    assert names_for(["BÜCHER.example.", "xn--bcher-kva.example"]) == (
        "sip.xn--bcher-kva.example",
        "xn--bcher-kva.example",
    )


@pytest.mark.parametrize(
    ("domains", "words"),
    [
        ([], "at least one domain"),
        (["a b"], "'a b' is no name that a certificate can have"),
        (["192.0.2.1"], "no name"),
        (["user@contoso.com"], "no name"),
        ([f"{'a' * 61}.example"], "longer than 64 characters"),
    ],
)
def test_request_for_what_no_certificate_can_have_is_refused(domains: list[str], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        make_request(domains)


def test_weak_key_is_refused() -> None:
    with pytest.raises(RequestError, match="2048 are the least"):
        make_request(["contoso.com"], key_size=1024)


def test_request_says_what_it_should() -> None:
    made = make_request(["contoso.com"], service_names=True, key_size=3072)
    request, key = x509.load_pem_x509_csr(made.request), load_pem_private_key(made.key, password=None)
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usages = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value

    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=sip.contoso.com"
    assert names.get_values_for_type(x509.DNSName) == ["sip.contoso.com", "contoso.com"]
    assert names.get_values_for_type(x509.OtherName) == [x509.OtherName(SRV_NAME, b"\x16\x18_xmpp-server.contoso.com")]
    assert set(usages) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert not request.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 3072
    assert key.public_key() == request.public_key()


def test_openssl_accepts_the_request(tmp_path: Path) -> None:
    request, key = write_request(make_request(["contoso.com", "fabrikam.com"], service_names=True), tmp_path / "new")
    command = ["openssl", "req", "-in", str(request), "-noout", "-verify", "-text"]
    seen = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "verify OK" in seen.stderr + seen.stdout
    assert "Public-Key: (2048 bit)" in seen.stdout
    assert "DNS:sip.contoso.com, DNS:sip.fabrikam.com, DNS:contoso.com, DNS:fabrikam.com" in seen.stdout
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize("ending", ["key", "csr"])
def test_nothing_is_overwritten(tmp_path: Path, ending: str) -> None:
    old = tmp_path / f"sip.contoso.com.{ending}"
    old.write_text("precious")

    with pytest.raises(RequestError, match=f"{ending}: exists already"):
        write_request(make_request(["contoso.com"]), tmp_path)

    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(RequestError, match="cannot be written"):
        write_request(make_request(["contoso.com"]), tmp_path / "file" / "folder")


def test_domains_are_read_from_a_configuration_that_is_not_complete(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("domains: [contoso.com, Fabrikam.COM]\npartners:\n  - identity: far.example\n")

    assert domains_in(file) == ("contoso.com", "Fabrikam.COM")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("partners: []\n", 1, "domains are missing"),
        ("- contoso.com\n", 1, "domains are missing"),
        ("dns: {}\ndomains: contoso.com\n", 2, "expected a list"),
        ("domains:\n  - contoso.com\n  - a b\n", 3, "no name that a certificate can have"),
    ],
)
def test_configuration_without_usable_domains_is_refused(tmp_path: Path, text: str, line: int, words: str) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(text)

    with pytest.raises(DocumentError) as refusal:
        domains_in(file)

    assert refusal.value.line == line
    assert words in refusal.value.message
