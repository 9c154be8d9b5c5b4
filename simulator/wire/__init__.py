"""One socket each: byte connections with TLS, listeners, DNS lookup. asyncio begins here."""
