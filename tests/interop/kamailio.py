"""Kamailio as a process: a registrar, proxy and presence server of others' making, on an address of its own.

Knows its configuration file. Does not know what anybody asks of it.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from simulator.world.systems.child import Child, answers
from simulator.world.systems.system import Surroundings

#: Debian's place for them, below the name of the architecture
MODULES = next(Path("/usr/lib").glob("*/kamailio/modules"), Path("/usr/lib/kamailio/modules"))
TABLES = Path("/usr/share/kamailio/dbtext/kamailio")
INSTALL = "Kamailio is not installed: apt-get install kamailio kamailio-presence-modules kamailio-tls-modules (Debian)"
#: seconds until it must answer
START = 10.0
#: RFC 5626 §3.5.1: what a server answers with a pong.
PING = b"\r\n\r\n"
SHORTEST = 60

CONFIGURATION = """\
#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
dns=no
rev_dns=no
auto_aliases=no
# One connection for whatever goes to the same place.
tcp_source_ipv4={host}
enable_tls=yes
listen=tcp:{host}:{tcp}
listen=tls:{host}:{tls}
alias="{domain}"
mpath="{modules}/"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "xlog.so"
loadmodule "tls.so"
loadmodule "db_text.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
modparam("tls", "private_key", "{key}")
modparam("tls", "certificate", "{certificate}")
modparam("tls", "ca_list", "{authority}")
modparam("tls", "verify_certificate", 1)
modparam("tls", "tls_method", "TLSv1.2+")
modparam("usrloc", "db_mode", 0)
modparam("presence|presence_xml", "db_url", "text://{folder}/tables")
modparam("presence", "server_address", "sip:{host}:{tcp};transport=tcp")
modparam("presence", "min_expires", {shortest})
modparam("presence", "max_expires", 86400)
modparam("presence", "min_expires_action", 1)
modparam("presence", "send_fast_notify", 1)
modparam("presence_xml", "force_active", {active})
modparam("presence_xml", "integrated_xcap_server", 1)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
{route}}}
"""

#: Nothing is its own here but who is where: it only forwards, and stays in the way of what follows.
RELAY = """\
    if (is_method("REGISTER")) { save("location"); exit; }
    if (has_totag()) {
        if (!loose_route()) { sl_send_reply("481", "No such dialog here"); exit; }
        # RFC 6665 4.3: "the initial SUBSCRIBE request and all NOTIFY requests", of which one may overtake the answer.
        if (is_method("NOTIFY")) { record_route(); }
    } else {
        if (!is_method("MESSAGE")) { record_route(); }
        if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    }
    t_relay();
"""

#: Presence is its own, and nothing else is done here.
HOME = """\
    if (is_method("PUBLISH|SUBSCRIBE") && uri == myself) {
        if (!t_newtran()) { sl_reply_error(); exit; }
        if (is_method("PUBLISH")) { handle_publish(); } else { handle_subscribe(); }
        t_release();
        exit;
    }
    sl_send_reply("405", "Method Not Allowed");
"""

#: It stands before a gateway: whatever devices send goes there, and what the gateway sends goes to them.
BEFORE = """\
    {presence}
    if (has_totag()) {{
        if (!loose_route()) {{ sl_send_reply("481", "No such dialog here"); exit; }}
        if (is_method("NOTIFY")) {{ record_route(); }}
    }} else {{
        if (is_method("INVITE|SUBSCRIBE")) {{ record_route(); }}
        if (src_ip != {host}) {{ $du = "sip:{host}:{port};transport={transport}"; }}
    }}
    t_relay();
"""
#: What devices publish it keeps itself: so it is asked, in place of each device, who may see a user, and what.
KEEPS = """\
    if (is_method("PUBLISH")) {{
        if (!t_newtran()) {{ sl_reply_error(); exit; }}
        handle_publish();
        exit;
    }}
    if (is_method("SUBSCRIBE") && src_ip == {host}) {{
        if (!t_newtran()) {{ sl_reply_error(); exit; }}
        xlog("L_INFO", "SUBSCRIBE for $hdr(Expires)\\n");
        # The presentity is taken from the URI of the request, which names the device.
        if (!has_totag()) {{ $ru = $tu; }}
        handle_subscribe();
        exit;
    }}
"""


def before(host: str, port: int, *, transport: str = "tcp", keeps: bool = False) -> str:
    """The route before the gateway that listens there; `keeps`: with presence of its own."""
    presence = KEEPS.format(host=host) if keeps else ""

    return BEFORE.format(presence=presence, host=host, port=port, transport=transport)


@dataclass(frozen=True)
class Kamailio:
    """One that runs."""

    child: Child
    host: str
    tcp_port: int = 5060
    tls_port: int = 5061

    def log(self) -> str:
        """What it has said, for whoever looks for the reason."""
        return "\n".join(self.child.last_lines(40))


def is_installed() -> bool:
    needed = ("presence.so", "presence_xml.so", "tls.so", "db_text.so")

    return shutil.which("kamailio") is not None and all((MODULES / name).exists() for name in needed)


@asynccontextmanager
async def kamailio(
    domain: str, surroundings: Surroundings, *, route: str = HOME, asks: bool = False, shortest: int = SHORTEST
) -> AsyncIterator[Kamailio]:
    """Started for this domain, and ended.

    `asks`: whoever watches would have to be let in, and nobody does that. `shortest`: what it grants no shorter
    subscription nor publication than, in seconds.
    """
    child, host = Child("kamailio"), surroundings.addresses.take("kamailio")
    running = Kamailio(child, host)
    files = surroundings.authority.issue(domain)

    try:
        shutil.copytree(TABLES, child.folder / "tables")
        (child.folder / "run").mkdir()
        file = child.folder / "kamailio.cfg"
        file.write_text(
            CONFIGURATION.format(
                host=host,
                tcp=running.tcp_port,
                tls=running.tls_port,
                domain=domain,
                modules=MODULES,
                folder=child.folder,
                key=files.key,
                certificate=files.certificate,
                authority=surroundings.authority.authority,
                shortest=shortest,
                active=0 if asks else 1,
                route=route,
            )
        )
        own = ("-Y", str(child.folder / "run"), "-P", str(child.folder / "pid"), "-w", str(child.folder))
        await child.start("kamailio", "-DD", "-E", "-f", str(file), "-m", "32", "-M", "4", *own)
        assert await answers(host, running.tcp_port, PING, within=START, child=child), running.log()
        yield running
    finally:
        await child.end()
