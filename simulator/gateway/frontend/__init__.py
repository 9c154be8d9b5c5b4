"""The front end: SIP with the users inside, mapped to XMPP and back."""
