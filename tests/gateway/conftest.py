"""A configuration on loopback with real certificates and free ports, as values and as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from simulator.gateway.configuration import Configuration
from simulator.world.ca import CertificateAuthority


@pytest.fixture(scope="session")
def authority() -> Iterator[CertificateAuthority]:
    with CertificateAuthority() as authority:
        yield authority


@pytest.fixture
def words(authority: CertificateAuthority) -> dict[str, Any]:
    """A complete configuration as plain data; every port is a free one."""

    def pair(*names: str) -> dict[str, str]:
        files = authority.issue(*names)

        return {"certificate": str(files.certificate), "key": str(files.key)}

    return {
        "domains": ["contoso.com"],
        "users": [{"address": "alice@contoso.com"}],
        "partners": [
            {"identity": "gmail.com", "tls-negotiation": "NotSupported", "sasl-negotiation": "NotSupported"},
        ],
        "access": {"allow-federated-users": True},
        "policies": [{"identity": "Global", "enable-federation-access": True, "enable-xmpp-access": True}],
        "dns": {"server": "127.0.0.1", "port": 9, "timeout": 0.2},
        "edge": {"port": 0, "link-port": 0, "connect-timeout": 2.0},
        "frontend": {"sip-tcp-port": 0, "sip-tls-port": 0},
        "certificates": {
            "authority": str(authority.authority),
            "internal": pair("link.internal"),
            "external": pair("contoso.com"),
            "sip": pair("sip.contoso.com"),
        },
        "retry": {"link-first": 0.02, "link-longest": 0.1},
    }


@pytest.fixture
def configuration(words: dict[str, Any]) -> Configuration:
    return msgspec.convert(words, Configuration)


@pytest.fixture
def gateway_file(words: dict[str, Any], tmp_path: Path) -> Callable[..., Path]:
    """Write the configuration, with other top-level parts where given, and return the file."""

    def write(**parts: Any) -> Path:
        file = tmp_path / "gateway.yaml"
        file.write_text(yaml.safe_dump({**words, **parts}), encoding="utf-8")

        return file

    return write
