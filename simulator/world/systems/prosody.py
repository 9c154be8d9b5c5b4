"""Prosody in the seat: a child process with a folder, a name server and users of our making.

Knows Prosody's configuration file and its storage of accounts. Does not know scenarios.

What a mode is in its words: TLS is `s2s_allow_encryption`, and `s2s_require_encryption` where it must be. Dialback is a
module. The module saslauth offers EXTERNAL to a peer whose certificate is good for its domain, and takes it up where a
peer offers it, whatever that peer has shown. `s2s_secure_auth` refuses every peer that has shown no good certificate.
So that stays off, as shipped, where dialback proves a domain, too. Where nothing but certificates counts it is on, and
then TLS cannot be optional: Prosody itself remarks that, and requires it. Where certificates do not count there is no
saslauth, and users sign in as they did before there was SASL.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from simulator.journal import Journal
from simulator.scenario.negotiation_table import Choice
from simulator.world.ca import CertificateAuthority
from simulator.world.systems.mode import (
    ANY_DIALBACK,
    ANYTHING,
    CERTIFICATES_ONLY,
    ENCRYPTED,
    ENCRYPTED_DIALBACK,
    PLAIN,
    Mode,
    mode_of,
    rows,
)
from simulator.world.systems.server import PASSWORD, XMPPServer
from simulator.world.systems.system import NotInstalled, Seat, Surroundings, SystemSettings
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import User

INSTALL = "apt-get install --no-install-recommends prosody lua-unbound"
#: seconds until its ports must answer
START = 10.0
#: What an unanswered dialback check costs: Prosody reports its failure only by this timeout, which is 90 s as shipped.
#: Longer than a step waits, so that what never comes is not taken for an end of the stream, nor a busy machine for it.
ESTABLISHMENT = 8.0

MODES = (CERTIFICATES_ONLY, ENCRYPTED, ENCRYPTED_DIALBACK, ANYTHING, ANY_DIALBACK, PLAIN)
CAPABILITIES = frozenset(
    {
        "several-domains",
        "graceful-shutdown",
        "passphrase",
        "establishment-timeout",
        "retry-at-once",
        "tls",
        "external",
        "presence",
        "contact-lists",
        "blocking",
        "pre-approval",
        "directed-presence",
        "negative-priority",
        "offline-storage",
        "message-archive",
        "whole-stanzas",
    }
) | rows(*MODES)

CONFIGURATION = """\
daemonize = false
run_as_root = true
pidfile = {folder} .. "/prosody.pid"
data_path = {folder} .. "/data"
certificates = {folder} .. "/certificates"
log = {{ {{ levels = {{ min = "debug" }}, to = "file", filename = {folder} .. "/prosody.log" }} }}

interfaces = {{ {host} }}
local_interfaces = {{ {host} }}
c2s_ports = {{ {c2s_port} }}
s2s_ports = {{ {s2s_port} }}
c2s_direct_tls_ports = {{ }}
s2s_direct_tls_ports = {{ }}
use_ipv6 = false
network_backend = "epoll"

-- Our name server and no other, on its own port; nothing that one scenario met is remembered for the next.
unbound = {{
  resolvconf = false; hoststxt = false; forward = {name_server};
  options = {{
    ["module-config:"] = "iterator";
    ["cache-max-ttl:"] = "0"; ["cache-max-negative-ttl:"] = "0";
    -- By what it has measured it would wait 50 ms for an answer, which comes later on a busy machine (both in ms).
    ["infra-host-ttl:"] = "0"; ["infra-cache-min-rtt:"] = "400"; ["unknown-server-time-limit:"] = "400";
    ["outbound-msg-retry:"] = "2";
  }};
}}

modules_enabled = {{ "roster", "blocklist", "tls", "disco", "ping", "presence", "message", "iq" {modules} }}
modules_disabled = {{ "s2s_limits" {others} }}
limits = {{ }}
authentication = "internal_plain"
storage = "internal"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false

"""

HOST = """
VirtualHost {domain}
"""
# The folder that is not there: Prosody would add the authorities of the machine.
CERTIFICATE = """\
  ssl = {{ certificate = {certificate}; key = {key}; cafile = {authority}; capath = {folder} .. "/none" }}
"""


def sharing_key(settings: SystemSettings) -> str:
    """What of the settings Prosody is started with; users come and go while it runs."""
    return json.dumps(
        [sorted(settings.domains), str(mode_of(settings)), sorted(_options(settings).items()), _storing(settings)]
    )


class Prosody(XMPPServer):
    """Prosody, started once."""

    name = "prosody"
    capabilities = CAPABILITIES
    says, log, modes, patience = "Prosody", "prosody.log", MODES, START

    async def _find(self) -> str:
        return (await asyncio.to_thread(installed)).version

    def _prepare(self, folder: Path, surroundings: Surroundings) -> tuple[str, ...]:
        return installed().program, "-F", "--config", str(self._write(folder, surroundings))

    async def user(self, address: str, journal: Journal, habits: Habits = WRITES) -> User:
        """Write an account and return its client, not yet signed in."""
        # Here and not above: slixmpp takes a fifth of a second to load, which only those with users need.
        from simulator.world.users.xmpp import XMPPUser

        local, _, domain = address.partition("@")
        accounts = self.tenant.child.folder / "data" / _encoded(domain) / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        (accounts / f"{_encoded(local)}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};\n')

        return XMPPUser(
            address,
            PASSWORD,
            self._host,
            self._c2s_port,
            journal,
            sasl=_has_sasl(self._mode),
            uses_presence=habits.uses_presence,
        )

    def _write(self, folder: Path, surroundings: Surroundings) -> Path:
        for name in ("data", "certificates"):
            (folder / name).mkdir()

        host, port = surroundings.name_server
        text = CONFIGURATION.format(
            folder=_lua(str(folder)),
            host=_lua(self._host),
            c2s_port=self._c2s_port,
            s2s_port=self._s2s_port,
            name_server=_lua(f"{host}@{port}"),
            modules="".join(f", {_lua(name)}" for name in (*_modules(self._mode), *_storing(self._settings))),
            others="" if "offline" in _storing(self._settings) else f", {_lua('offline')}",
        )
        options = {**_trust(self._mode), **_options(self._settings)}
        text += "".join(f"{name} = {value}\n" for name, value in options.items())
        text += "".join(self._virtual_host(domain, folder, surroundings.authority) for domain in self.domains)
        file = folder / "prosody.cfg.lua"
        file.write_text(text, encoding="utf-8")

        return file

    def _virtual_host(self, domain: str, folder: Path, authority: CertificateAuthority) -> str:
        text = HOST.format(domain=_lua(domain))

        if self._mode.encrypts:
            issued = authority.issue(domain)
            files = {"certificate": issued.certificate, "key": issued.key, "authority": authority.authority}
            text += CERTIFICATE.format(
                folder=_lua(str(folder)), **{name: _lua(str(file)) for name, file in files.items()}
            )

        return text


@dataclass(frozen=True)
class Installation:
    """The program and its version."""

    program: str
    version: str


@cache
def installed() -> Installation:
    """What is installed here (asked once); raises NotInstalled."""
    program, control = shutil.which("prosody"), shutil.which("prosodyctl")

    if program is None or control is None:
        raise NotInstalled(f"Prosody is not installed; on Debian: {INSTALL}")

    # With a file of our own: the machine's may not be readable to us.
    with tempfile.TemporaryDirectory(prefix="s2sim-prosody-") as folder:
        file = Path(folder) / "about.cfg.lua"
        file.write_text('run_as_root = true\nVirtualHost "localhost"\n')
        command = [control, "--config", str(file), "about"]
        about = subprocess.run(command, capture_output=True, text=True, timeout=START, check=False).stdout

    # Without it Prosody would quietly ask the machine's own name servers, outside of our world.
    if not re.search(r"^luaunbound:\s+\d", about, re.MULTILINE):
        raise NotInstalled(f"Prosody is installed without lua-unbound, which lets it ask our name server; {INSTALL}")

    found = re.search(r"^Prosody (\S+)", about, re.MULTILINE)

    return Installation(program, found[1] if found else "unknown")


def _has_sasl(mode: Mode) -> bool:
    """Without TLS nobody is offered EXTERNAL, so that SASL is the users' alone."""
    return mode.external or not mode.encrypts


def _modules(mode: Mode) -> tuple[str, ...]:
    return ("saslauth" if _has_sasl(mode) else "legacyauth", *(["dialback"] if mode.dialback else []))


def _storing(settings: SystemSettings) -> tuple[str, ...]:
    """The modules that keep messages, left out where nobody asks for them: then what cannot be delivered comes back at
    once. Prosody would load the first of them by itself."""
    wanted = {"offline": "offline", "archive": "mam"}

    return tuple(module for word, module in wanted.items() if settings.configuration.get(word))


def _trust(mode: Mode) -> dict[str, str]:
    return {
        "s2s_allow_encryption": str(mode.encrypts).lower(),
        "s2s_require_encryption": str(mode.tls is Choice.REQUIRED).lower(),
        "s2s_secure_auth": str(mode == CERTIFICATES_ONLY).lower(),
    }


def _options(settings: SystemSettings) -> Mapping[str, str]:
    """Those of the gateway's settings that Prosody has, under its own names, as Lua."""
    gateway, limits = settings.gateway, settings.configuration.get("limits", {})
    seconds = str(float(gateway.get("stream-establishment-timeout", ESTABLISHMENT)))
    # The second is for a handshake of TLS that does not go on, which the first does not see.
    options = {"s2s_timeout": seconds, "network_settings": f"{{ ssl_handshake_timeout = {seconds} }}"}

    if "dialback-passphrase" in gateway:
        options["dialback_secret"] = _lua(str(gateway["dialback-passphrase"]))

    if "offline" in settings.configuration:
        options["storage_archive_item_limit"] = str(int(settings.configuration["offline"]["messages"]))

    if settings.configuration.get("archive"):
        options["default_archive_policy"] = "true"

    if "stanza-bytes" in limits:
        options["s2s_stanza_size_limit"] = str(int(limits["stanza-bytes"]))

    return options


def _lua(text: str) -> str:
    """The text as a Lua string: decimal escapes for whatever is not plain."""
    return '"' + re.sub(rb"[^ !#-\[\]-~]", lambda match: b"\\%03d" % match[0][0], text.encode()).decode() + '"'


def _encoded(name: str) -> str:
    """A file name in Prosody's storage: whatever is no ASCII letter or digit as %xx, in lower case."""
    return re.sub(rb"[^A-Za-z0-9]", lambda match: b"%%%02x" % match[0][0], name.encode()).decode()


SEAT = Seat(
    name="prosody",
    says="Prosody as a child process",
    capabilities=CAPABILITIES,
    shared=True,
    make=Prosody,
    sharing_key=sharing_key,
)
