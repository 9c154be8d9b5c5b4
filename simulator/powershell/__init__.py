"""As much of PowerShell's language as the pages about XMPP federation need: text in, objects and errors out. Pure.

Knows words, values, binding of parameters and how things are printed. Does not know a single cmdlet of Lync.
"""
