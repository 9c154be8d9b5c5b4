"""The XMPP home of the gateway's users: contacts, subscriptions, presence, probes (RFC 6121 §2 to §4). Knows no SIP."""
