"""The edge proxy: XMPP streams with partners on 5269."""
