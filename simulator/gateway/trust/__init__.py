"""Whether a peer's certificate may be relied on for a domain: its names, its fitness, its path, its revocation."""
