"""A person inside who speaks SIP: a user agent with one connection for each device, in Lync's dialect or RFC 8048's."""
