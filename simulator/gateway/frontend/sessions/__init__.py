"""IM sessions of users (INVITE with ``m=message``), each a conversation with one contact at a partner (RFC 7573).

`sessions` is asked by the front end; `invitation` opens one for a partner's message, `opening` takes one that a user
opens, `session` is one that is open. What is decided stands in `rules`, what crosses in `translation`.
"""
