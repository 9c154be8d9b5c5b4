"""What only a fake does to a TLS connection: break it off, speak beside it, start it again.

Knows the inside of `connection` and `tls`, so that those need not know of it. Does not know why anybody would.
"""

from __future__ import annotations

from simulator.wire.connection import Connection


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
