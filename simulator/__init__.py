"""Brings up an XMPP gateway beside fake federated partners and judges the federation."""
