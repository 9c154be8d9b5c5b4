"""What only a fake does to a connection: break TLS off, speak beside it, start it again, be deaf to TCP.

Knows the inside of `connection` and `tls`, so that those need not know of it. Does not know why anybody would.
"""

from __future__ import annotations

import ctypes
import socket
import struct

from simulator.wire.connection import Connection

#: socket(7), Linux: SO_ATTACH_FILTER has a program in classic BPF look at what arrives; this one (BPF_RET | BPF_K, 0)
#: keeps nothing of it.
_ATTACH_FILTER = 26
_KEEP_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)


def heard_close_notify(connection: Connection) -> bool:
    """Whether the peer has ended TLS in order, whatever became of TCP."""
    return connection._session is not None and connection._session.ended


def truncate(connection: Connection) -> None:
    """Send what is written, and FIN without the close_notify that RFC 8446 §6.1 demands before it."""
    connection._flush()
    connection._session = None
    connection.close()


def give_back(connection: Connection, data: bytes) -> None:
    """Let bytes that were delivered already be the first of a handshake that `start_tls` is about to begin."""
    connection._early.append(data)


def write_beside(connection: Connection, data: bytes) -> None:
    """Send bytes as they are, whether or not TLS has begun: what is written already leaves before them."""
    connection._flush()
    connection._send_raw(data)


def renegotiate(connection: Connection) -> None:
    """Send the ClientHello of another handshake within a session of TLS 1.2; raises ValueError where there is none.

    From here on what comes is delivered as it is: OpenSSL gives up the session when the peer declines, and whether the
    peer ends the connection then, or we did, could not be told.
    """
    session = connection._session

    if session is None or session.info is None or session.info.version == "TLSv1.3":
        raise ValueError("only a session of TLS 1.2 or older is renegotiated")

    if not session._ssl.renegotiate():
        raise ValueError("this session is made so that it cannot be renegotiated")

    connection._guarded(session._shake)
    connection._session = None


def be_deaf(connection: Connection) -> None:
    """Let nothing reach this end any more, not even what TCP would acknowledge; Linux only.

    To the peer it looks like a machine that has lost its power, or a router that has forgotten the connection.
    """
    transport = connection._transport

    if transport is None or transport.is_closing():
        return

    program = ctypes.create_string_buffer(_KEEP_NOTHING)
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))


def make_room(connection: Connection, octets: int) -> None:
    """Have room for so much that is not read: where it is little, the peer's TCP is soon told to wait."""
    if connection._transport is not None and not connection._transport.is_closing():
        sock = connection._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)
