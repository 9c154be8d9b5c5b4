"""Lists of revoked certificates: as `openssl crl` reads them, and what `openssl verify` makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.world.ca import CertificateAuthority
from simulator.world.certificates.register import FORESEEN, SERVED
from simulator.world.certificates.request import CannotMint
from tests.world.certificates.openssl import faults, openssl

CHECK = ("-crl_check", "-x509_strict", "-CRLfile")
#: no CRL found; CRL signature failure; CRL has expired; revoked
NOT_FOUND, FORGED, STALE, REVOKED = "3@0", "8@0", "12@0", "23@0"


@pytest.fixture(scope="module")
def served(authority: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each list in a file of its own, fetched after everything was minted."""
    folder = tmp_path_factory.mktemp("served")

    for kind in ("valid", "revoked", "revoked-http", "distribution-point", "crl-stale", "crl-forged"):
        authority.mint(kind, "far.example")

    for name in ("current", "stale", "forged"):
        (folder / name).write_bytes(authority.served_list(name))

    return {file.name: file for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("kind", "list_name", "fault"),
    [
        ("valid", "current", ""),
        ("distribution-point", "current", ""),
        ("revoked", "current", REVOKED),
        ("revoked-http", "current", REVOKED),
        ("crl-stale", "stale", STALE),
        ("crl-forged", "forged", FORGED),
        ("crl-forged", "current", ""),
    ],
)
def test_served_list_says(
    authority: CertificateAuthority, served: dict[str, Path], kind: str, list_name: str, fault: str
) -> None:
    assert faults(authority, authority.mint(kind, "far.example"), *CHECK, served[list_name]) == set(fault.split())


def test_file_lists_what_is_minted_later_and_not_what_is_served() -> None:
    with CertificateAuthority() as authority:
        file = authority.revocation_list
        verdicts = {
            kind: faults(authority, authority.mint(kind, "far.example"), *CHECK, file)
            for kind in ("valid", "revoked", "revoked-http")
        }

    assert verdicts == {"valid": set(), "revoked": {REVOKED}, "revoked-http": set()}


def test_openssl_reads_the_list(authority: CertificateAuthority) -> None:
    text = openssl("crl", "-in", authority.revocation_list, "-noout", "-text", "-CAfile", authority.authority)

    assert "verify OK\n" in text
    assert "Version 2 (0x1)" in text
    assert "X509v3 CRL Number" in text
    assert text.count("Serial Number:") == FORESEEN


def test_served_list_is_der(authority: CertificateAuthority, tmp_path: Path) -> None:
    file = tmp_path / "current.crl"
    file.write_bytes(authority.served_list("current"))

    assert "Certificate Revocation List (CRL):" in openssl("crl", "-inform", "DER", "-in", file, "-noout", "-text")


def test_certificate_can_be_revoked_while_it_is_in_use(tmp_path: Path) -> None:
    with CertificateAuthority() as authority:
        minted = authority.mint("distribution-point", "far.example")
        before = faults(authority, minted, *CHECK, authority.revocation_list)
        authority.revoke(minted)
        served = tmp_path / "current.crl"
        served.write_bytes(authority.served_list("current"))

        assert before == set()
        assert faults(authority, minted, *CHECK, authority.revocation_list) == {REVOKED}
        assert faults(authority, minted, *CHECK, served) == {REVOKED}


def test_each_revoked_certificate_has_its_own_number_until_none_is_left() -> None:
    with CertificateAuthority() as authority:
        numbers = {authority.mint("revoked", f"far-{number}.example").serial for number in range(FORESEEN)}

        assert len(numbers) == FORESEEN

        with pytest.raises(CannotMint, match="and no more"):
            authority.mint("revoked", "one-too-many.example")


def test_unknown_list_is_refused(authority: CertificateAuthority) -> None:
    assert set(SERVED) == {"current", "stale", "forged", "silent"}

    with pytest.raises(LookupError, match="no list is called 'lost'"):
        authority.served_list("lost")
