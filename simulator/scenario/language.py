"""How a scenario is written: the grammar of steps and the convention of patterns, as `s2sim steps` prints them.

Knows the words for people. The table of verbs is `steps`; what carries these rules out is `loader` and `match`.
"""

GRAMMAR = """\
A step is a sentence: ACTOR [on LABEL] VERB [as LABEL][: ARGUMENT]

  - gmail.com connects
  - gmail.com connects as second: {version: null}
  - gmail.com on second sends: <message from='juliet@gmail.com' to='alice@contoso.com'><body>Hi</body></message>

ACTOR is a partner's domain, a user's address, a domain of the system, `DNS`, `the system` or `the administrator`.
A user to whom the head of the scenario gives `devices` acts on one as ADDRESS/DEVICE, and sees there what reached it.
Where a verb has CONTACT an address stands, of a person or of one of their devices: alice@contoso.com sees
juliet@gmail.com: away.
Without `on LABEL` a step is about the stream that its actor opened or accepted without `as LABEL`.

Beside the sentence a step may have these keys:

  level: must | should | may    a mismatch is FAIL, WARN, ALTERNATIVE (must, unless the scenario says otherwise)
  or: [{expect: ARGUMENT, because: RFC 6120 §4.9.3.6}]
                                another outcome that the text also allows: ALTERNATIVE. Another verb may stand for
                                `expect` ({is disconnected: host-unknown, because: ...}); then the stream counts
                                as over and its later steps are skipped.
  within: 0.5                   seconds instead of the scenario's deadline
  may also receive: [PATTERN]   what else may reach this actor from here on, in any number
  covers: [DBK-033]             the requirements that this step alone decides
  when: refused                 played only after a negotiation that came to this (authenticated, refused; or
                                authenticated both ways: where the other side would be, too, if it dialled)
"""

PATTERNS = """\
Patterns are XML as the reader knows it from the specifications.

* The default namespace is jabber:server; the prefixes db: and stream: are declared.
* Every attribute and every child of the pattern must be there, and nothing else may be, but `id` and `xml:lang`,
  which are compared only where the pattern has them. How namespaces are declared does not matter.
* `...` as the text of an element allows further attributes, children and text there; as an attribute's value: anything,
  but present. `<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>...</error>`
* Text is compared without the white space at its ends. Children of one name keep their order; children of different
  names may stand in any order. A message without type is one of type normal.
* `{name}` stands for what only the run can know. The first step that receives it captures it; from then on it must be
  equal, and is filled in where it is sent. `${name}` is the value of the matrix row. `{other than NAME}`, as a whole
  value, is anything but what was captured so, or but that very text.
* In the fields of a message an address without resource stands for any of its resources; fields that are not named
  are not compared.
* Presence that says what the user was shown before is passed over, for servers say it more than once; so is the
  `unavailable` of a bare address of which no device was there, but not by *has received nothing*. A change of a user's
  own contact list is no arrival: *has CONTACT in its contact list* looks at it.
* A receiving step takes the next arrival on its stream that was not taken. What automation answered (a partner that
  answers a verification by itself) and what `may also receive` allows is passed over. What nobody takes by the end
  fails the scenario.
"""
