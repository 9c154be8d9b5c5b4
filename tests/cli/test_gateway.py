"""``s2sim gateway``: runs one, and asks for its certificate."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from simulator.cli import main


def test_request_names_every_domain_and_says_what_to_do_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    domains = ("--domain", "contoso.com", "--domain", "fabrikam.com")

    assert main(["gateway", "request-certificate", *domains, "--output", str(tmp_path), "--webcon"]) == 0

    request = x509.load_pem_x509_csr((tmp_path / "sip.contoso.com.csr").read_bytes())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [
        "sip.contoso.com", "sip.fabrikam.com", "webcon.contoso.com", "contoso.com", "fabrikam.com"
    ]  # fmt: skip

    said = capsys.readouterr().out
    assert f"openssl req -in {tmp_path}/sip.contoso.com.csr" in said
    assert f"certificate: {tmp_path}/sip.contoso.com.pem" in said
    assert f"key: {tmp_path}/sip.contoso.com.key" in said
    assert "Restart the gateway" in said


def test_domains_may_come_from_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("domains: [contoso.com]\n")

    assert main(["gateway", "request-certificate", "--config", str(file), "--output", str(tmp_path)]) == 0
    assert (tmp_path / "sip.contoso.com.key").is_file()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "--config FILE"),
        (["--config", "x", "request-certificate"], "behind request-certificate"),
        (["request-certificate"], "--domain D"),
        (["request-certificate", "--domain", "a.example", "--config", "x"], "either"),
        (["request-certificate", "--domain", "a b"], "'a b'"),
        (["request-certificate", "--domain", "a.example", "--key-size", "1024"], "2048"),
        (["request-certificate", "--config", "lost.yaml"], "lost.yaml"),
        (["--config", "lost.yaml"], "lost.yaml"),
    ],
    ids=str,
)
def test_wrong_use_is_one_line(given: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gateway", *given]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
