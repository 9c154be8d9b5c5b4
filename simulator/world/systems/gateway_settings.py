"""Says what a scenario has set in the words of the gateway's configuration file.

Knows both vocabularies. Does not check what is set: that is the gateway's own business, and may be what is tested.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulator.world.casting import CONTROL
from simulator.world.systems.system import Surroundings, SystemSettings

INTERNAL_NAME = "link.internal"


def _choice(words: Mapping[str, str]) -> Callable[[Any], Any]:
    """Translate a word of scenarios; whatever is no such word goes on as it is, for the gateway to refuse."""
    return lambda given: words.get(given, given) if isinstance(given, str) else given


_negotiation = _choice({"required": "Required", "optional": "Optional", "not-supported": "NotSupported"})
_partner_type = _choice(
    {"federated": "Federated", "public-verified": "PublicVerified", "public-unverified": "PublicUnverified"}
)

#: a scenario's word for a partner's setting -> the gateway's, and how its value is said there
PARTNER_WORDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "tls": ("tls-negotiation", _negotiation),
    "sasl": ("sasl-negotiation", _negotiation),
    "dialback": ("support-dialback-negotiation", lambda given: given),
    "keepalive": ("enable-keep-alive", lambda given: given),
    "type": ("partner-type", _partner_type),
    "partner-type": ("partner-type", _partner_type),
    "additional": ("additional-domains", lambda given: given),
    "proxy": ("proxy-fqdn", lambda given: given),
    "limit": ("connection-limit", lambda given: given),
    "description": ("description", lambda given: given),
}

#: What suits a world in which every answer is a millisecond away; a scenario's own settings stand above it.
PACE: dict[str, dict[str, Any]] = {
    "dns": {"timeout": 1.0},
    "retry": {"link-first": 0.02, "link-longest": 0.2, "stream-first": 0.1, "stream-longest": 1.0},
}

#: What lets everybody talk to every partner as the users of any XMPP server do (RFC 6121: one is asked before others
#: see one's presence). A fresh gateway lets nobody; scenarios that are about that set it themselves.
OPEN: dict[str, Any] = {
    "access": {"allow-federated-users": True},
    "authorization": {"public-verified-prompts": True},
    "policies": [{"identity": "Global", "enable-federation-access": True, "enable-xmpp-access": True}],
}
PARTNER_TYPE = "PublicVerified"
#: The policy of users who take part in no scenario, whatever policies this has: they prove that nothing came.
CONTROL_POLICY = {"identity": f"Tag:{CONTROL}", "enable-federation-access": True, "enable-xmpp-access": True}


def partner_words(domain: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """One partner as the configuration file has it; raises ValueError for a word that no scenario may use."""
    said: dict[str, Any] = {"identity": domain, "partner-type": PARTNER_TYPE}

    for word, value in settings.items():
        if word not in PARTNER_WORDS:
            close = difflib.get_close_matches(word, PARTNER_WORDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(PARTNER_WORDS)}"
            raise ValueError(f"{domain}: no setting of a partner is called {word!r}; {hint}")

        key, translate = PARTNER_WORDS[word]
        said[key] = translate(value)

    return said


def configuration_words(settings: SystemSettings, surroundings: Surroundings, host: str) -> dict[str, Any]:
    """The whole configuration file, as plain data, of a gateway that listens on `host`. Raises ValueError.

    In a scenario's `configuration` the key ``users`` is a mapping: address -> what else is set for that user.
    """
    server, server_port = surroundings.name_server
    port = surroundings.addresses.port
    words: dict[str, Any] = {
        "domains": list(settings.domains),
        "users": [_user(address, settings.configuration.get("users", {})) for address in settings.users],
        "partners": [partner_words(domain, given) for domain, given in settings.partners.items()],
        "gateway": dict(settings.gateway),
        "dns": {"server": server, "port": server_port},
        "edge": {"host": host, "port": port(5269), "link-port": port(23456)},
        "frontend": {"host": host, "sip-tcp-port": port(5060), "sip-tls-port": port(5061)},
        "certificates": _certificates(settings, surroundings),
    }

    above = {key: value for key, value in settings.configuration.items() if key != "users"}
    words = _merged(_merged(_merged(words, OPEN), PACE), above)
    words["policies"] = [*words["policies"], CONTROL_POLICY]

    # A scenario names a file and no folder: one that outlasts the system.
    if contacts := words["frontend"].get("contacts"):
        words["frontend"]["contacts"] = str(surroundings.authority.authority.parent / contacts)

    return words


def place_edges(words: dict[str, Any], place: Callable[[str], str]) -> dict[str, str]:
    """Put every edge of the pools that a scenario has set at the address that `place` gives; FQDN -> address.

    A scenario names pools, and members of them, by their FQDN; where they listen is the world's business. Without pools
    there is the one edge that the words have already.
    """
    port, link_port = words["edge"]["port"], words["edge"]["link-port"]
    hosts: dict[str, str] = {}

    def placed(given: Mapping[str, Any]) -> dict[str, Any]:
        host = hosts[given["identity"]] = place(given["identity"])
        own = given.get("edge") or {}

        return {**given, "edge": {**words["edge"], "host": host, "port": port, "link-port": link_port, **own}}

    pools = []

    for pool in words.get("pools", ()):
        members = [placed(member) for member in pool.get("members", ())]
        pools.append({**pool, "members": members} if members else placed(pool))

    if pools:
        words["pools"] = pools

    return hosts


def edge_words(words: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every edge of a configuration with the number of its pool; its ``identity``, None for the only one, and ``edge``.

    Pools without XMPP federation are left out: no edge of theirs runs.
    """
    if not words.get("pools"):
        yield 0, {"identity": None, "edge": words["edge"]}

    for number, pool in enumerate(words.get("pools", ())):
        if pool.get("enable-xmpp-federation"):
            yield from ((number, edge) for edge in pool.get("members") or [pool])


def _user(address: str, given: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    control = {"external-access-policy": CONTROL} if address.startswith(f"{CONTROL}-") else {}

    return {"address": address, **control, **given.get(address, {})}


def _certificates(settings: SystemSettings, surroundings: Surroundings) -> dict[str, Any]:
    issue = surroundings.authority.issue

    def pair(*names: str) -> dict[str, str]:
        files = issue(*names)

        return {"certificate": str(files.certificate), "key": str(files.key)}

    # One certificate for both faces, with the names of the documentation: sip.<domain>, and the bare domain for XMPP.
    # Towards partners each further domain has one of its own, so that it can be seen whose is shown.
    first, *others = settings.domains
    sip = pair(*(name for domain in settings.domains for name in (f"sip.{domain}", domain)))
    external = pair(f"sip.{first}", first) if others else sip

    return {
        "authority": str(surroundings.authority.authority),
        "revocation-lists": [str(surroundings.authority.revocation_list)],
        "internal": pair(INTERNAL_NAME),
        "internal-name": INTERNAL_NAME,
        "external": external,
        "by-domain": {domain: pair(domain) for domain in others},
        "sip": sip,
    }


def _merged(words: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings in one; where both have a value, the one `above` counts."""
    merged = dict(words)

    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value

    return merged
