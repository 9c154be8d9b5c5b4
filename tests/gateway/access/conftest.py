"""A configuration whose gates are all open, for tests that close one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.gateway.configuration import Configuration

OPEN: dict[str, Any] = {
    "domains": ["contoso.com"],
    "users": [{"address": "alice@contoso.com"}, {"address": "bob@contoso.com", "site": "Dublin"}],
    "partners": [
        {"identity": "federated.example", "partner-type": "Federated"},
        {"identity": "verified.example", "partner-type": "PublicVerified"},
        {"identity": "unverified.example", "additional-domains": ["also.example"]},
    ],
    "access": {"allow-federated-users": True},
    "policies": [{"identity": "Global", "enable-federation-access": True, "enable-xmpp-access": True}],
    "sites": [
        {"identity": "Redmond", "xmpp-federation-route": "edge.contoso.com"},
        {"identity": "Dublin", "xmpp-federation-route": "edge.contoso.com"},
    ],
    "pools": [{"identity": "edge.contoso.com", "enable-xmpp-federation": True}],
    "dns": {"server": "127.0.0.1"},
    "certificates": {"authority": "none", "internal": {"certificate": "none", "key": "none"}},
}


class Settings:
    """Makes configurations that differ from the open one in whole sections."""

    def __call__(self, **sections: Any) -> Configuration:
        given = {name.replace("_", "-"): value for name, value in sections.items()}

        return msgspec.convert({**OPEN, **given}, Configuration)


@pytest.fixture
def configured() -> Settings:
    return Settings()
