"""What a partner says about TLS and SASL, as text.

Knows the elements of RFC 6120 §5.4 and §6.4. Does not know when they are said.
"""

from __future__ import annotations

import base64

from simulator.world.behaviour import Behaviour
from simulator.xmpp.namespaces import SASL, TLS

PROCEED = f"<proceed xmlns='{TLS}'/>"
TLS_FAILURE = f"<failure xmlns='{TLS}'/>"
ABORT = f"<abort xmlns='{SASL}'/>"


def able_of_starttls(behaviour: Behaviour) -> bool:
    """Whether such a partner does TLS on streams that begin without."""
    return behaviour.tls in ("optional", "required")


def starttls(*, required: bool = False) -> str:
    """The request, and the feature (RFC 6120 §5.4.1 and §5.4.2.1)."""
    return qualified_element("starttls", TLS, "<required/>" if required else "")


def mechanisms(*names: str) -> str:
    """The feature (RFC 6120 §6.4.1)."""
    inside = "".join(f"<mechanism>{name}</mechanism>" for name in names)

    return qualified_element("mechanisms", SASL, inside)


def auth(text: str | None, mechanism: str = "EXTERNAL") -> str:
    """``<auth/>`` with this text; None and "" are no initial response at all (RFC 6120 §6.4.2)."""
    return qualified_element("auth", SASL, text or "", f" mechanism='{mechanism}'")


def challenge(text: str = "") -> str:
    """``<challenge/>``."""
    return qualified_element("challenge", SASL, text)


def response(text: str) -> str:
    """``<response/>``."""
    return qualified_element("response", SASL, text)


def success(text: str = "") -> str:
    """``<success/>``."""
    return qualified_element("success", SASL, text)


def sasl_failure(condition: str) -> str:
    """``<failure/>`` with a condition of RFC 6120 §6.5."""
    return qualified_element("failure", SASL, f"<{condition}/>")


def encoded(identity: str) -> str:
    """An authorization identity as it is sent: in base64, and "=" for none (RFC 6120 §6.4.2)."""
    return base64.b64encode(identity.encode()).decode() or "="


def qualified_element(name: str, namespace: str, inside: str = "", attributes: str = "") -> str:
    """An element that declares its own namespace; `attributes` begins with a space."""
    opening = f"<{name} xmlns='{namespace}'{attributes}"

    return f"{opening}>{inside}</{name}>" if inside else f"{opening}/>"
