"""Sans-IO SIP: framing, transactions and dialogs on top of the sipmessage library; no sockets, no clock."""
