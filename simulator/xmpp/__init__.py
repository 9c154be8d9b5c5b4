"""Sans-IO server-to-server XMPP: bytes in, events out; no sockets, no clock."""
