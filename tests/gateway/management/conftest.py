"""A management shell on a configuration that nothing runs on, and the pages' own lines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from simulator.gateway.access.edge import AccessEdgeConfiguration
from simulator.gateway.access.site import EdgePool, Site
from simulator.gateway.configuration import Configuration
from simulator.gateway.management.session import Session, Sheet
from simulator.gateway.settings import User
from simulator.powershell.evaluation import Outcome

#: "Example XMPP configuration in Lync Server 2013 – XMPP federation with Google Talk", as printed
GOOGLE_TALK = """\
New-CsXmppAllowedPartner gmail.com -TlsNegotiation NotSupported -SaslNegotiation NotSupported -EnableKeepAlive $false -SupportDialbackNegotiation $true
Set-CsAccessEdgeConfiguration -AllowFederatedUsers $true
New-CsExternalAccessPolicy -Identity FedPic -EnableFederationAccess $true -EnablePublicCloudAccess $true
Get-CsUser | Grant-CsExternalAccessPolicy -PolicyName FedPic
"""  # noqa: E501
#: "Setting up XMPP federation in Lync Server 2013", step 24, as printed
SETUP = """\
        New-CsExternalAccessPolicy -Identity FedPic -EnableFederationAcces $true -EnablePublicCloudAccess $true

        Get-CsUser | Grant-CsExternalAccessPolicy -PolicyName FedPic

        Set-CsExternalAccessPolicy -Identity FedPic -EnableXmppAccess $true
"""

Play = Callable[[str], Awaitable[Outcome]]


@pytest.fixture
def sheet(configuration: Configuration) -> Sheet:
    """The configuration of the other tests of the gateway, without a partner."""
    return Sheet(
        msgspec.structs.replace(
            configuration,
            partners=(),
            users=(
                User(address="alice@contoso.com"),
                User(address="kenmyer@contoso.com", display_name="Ken Myer", site="Redmond"),
            ),
            sites=(Site(identity="Redmond"),),
            pools=(EdgePool(identity="edge1.contoso.com"), EdgePool(identity="edge2.contoso.com")),
            access=AccessEdgeConfiguration(),
            policies=(),
        )
    )


@pytest.fixture
def play(sheet: Sheet) -> Play:
    """Run lines in one session."""
    session = Session(sheet.read, sheet.apply)

    async def run(text: str) -> Outcome:
        return await session.run(text)

    return run
