"""The contact lists on disk: one SQLite file, each change durable before the call returns.

Knows rows and the file. Does not know what a contact means. A file belongs to one process at a time.

The write-ahead log is flushed at every commit (``synchronous=FULL``), so a change survives not only the end of the
process but also that of the machine; of a `batch` all or nothing is kept. Who is online is written without that flush,
and so are last words that come of no wish of a user: they survive the process, and nobody misses them after the
machine. A file ``…-wal`` lies beside the database while it is open, and after a crash: it belongs to it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from simulator.gateway.contacts.contact import Contact
from simulator.xmpp.address import Address, AddressError, parse_address
from simulator.xmpp.subscription import State

#: "S2SC" in ASCII: tells our files from other people's (PRAGMA application_id)
APPLICATION_ID = 0x53325343
SCHEMA = 2

#: in whose name something is to be said (bare: of all devices), and to whom
Word = tuple[Address, Address]

_CREATE = (
    """CREATE TABLE contacts (
    user TEXT NOT NULL, contact TEXT NOT NULL, state TEXT NOT NULL, name TEXT NOT NULL, groups TEXT NOT NULL,
    listed INTEGER NOT NULL, blocked INTEGER NOT NULL, approved INTEGER NOT NULL, request TEXT, asked_at REAL,
    PRIMARY KEY (user, contact)
) WITHOUT ROWID""",
    "CREATE TABLE online (user TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
)
#: new in schema 2
_CREATE_LAST_WORDS = """CREATE TABLE last_words (
    sender TEXT NOT NULL, recipient TEXT NOT NULL, PRIMARY KEY (sender, recipient)
) WITHOUT ROWID"""
_COLUMNS = "user, contact, state, name, groups, listed, blocked, approved, request, asked_at"


class StoreError(OSError):
    """The file of contacts cannot be used; the text names it and says what to do."""


class ContactStore:
    """Contacts of all users. Every method may raise StoreError.

    `path` None keeps them in memory only, and then the store is open for good; a file is opened by `open`.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self._path = path
        self._open_batches = 0
        self._opened: sqlite3.Connection | None = None

        if path is None:
            self.open()

    @property
    def is_open(self) -> bool:
        """Whether contacts can be read and kept."""
        return self._opened is not None

    def open(self) -> None:
        """Open the file, or make a new one; a store that is open stays as it is."""
        if self._opened is not None:
            return

        with self._errors():
            name = ":memory:" if self._path is None else str(self._path)
            self._opened = sqlite3.connect(name, timeout=0, isolation_level=None)

        try:
            with self._errors():
                self._prepare()
        except BaseException:
            self._opened.close()
            self._opened = None
            raise

    def contacts(self, user: Address | None = None) -> Iterator[Contact]:
        """All contacts of a user, or of everybody, in the order of their addresses."""
        where, values = ("", ()) if user is None else (" WHERE user = ?", (str(user),))

        with self._errors():
            for row in self._database.execute(f"SELECT {_COLUMNS} FROM contacts{where}", values):
                yield self._contact(row)

    def get(self, user: Address, contact: Address) -> Contact | None:
        """One contact, or None."""
        with self._errors():
            row = self._database.execute(
                f"SELECT {_COLUMNS} FROM contacts WHERE user = ? AND contact = ?", (str(user), str(contact))
            ).fetchone()

            return None if row is None else self._contact(row)

    def put(self, contact: Contact) -> None:
        """Keep a contact as it is now."""
        row = (
            str(contact.user),
            str(contact.address),
            contact.state.value,
            contact.name,
            json.dumps(contact.groups, ensure_ascii=False),
            contact.listed,
            contact.blocked,
            contact.approved,
            contact.request,
            contact.asked_at,
        )

        with self._errors():
            self._database.execute(
                f"INSERT OR REPLACE INTO contacts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row
            )

    def delete(self, user: Address, contact: Address) -> None:
        """Forget a contact; one that is not there is no error."""
        with self._errors():
            self._database.execute("DELETE FROM contacts WHERE user = ? AND contact = ?", (str(user), str(contact)))

    def online(self) -> set[Address]:
        """The users who were online when this was last said of them."""
        with self._errors():
            rows = self._database.execute("SELECT user FROM online").fetchall()

        return {parse_address(str(user)) for (user,) in rows}

    def set_online(self, user: Address, online: bool) -> None:
        """Keep whether a user is online."""
        statement = "INSERT OR IGNORE INTO online VALUES (?)" if online else "DELETE FROM online WHERE user = ?"

        with self._errors(), self._unflushed():
            self._database.execute(statement, (str(user),))

    def last_words(self) -> list[Word]:
        """What is still to be said: that a user, or a device, is gone."""
        with self._errors():
            rows = self._database.execute("SELECT sender, recipient FROM last_words").fetchall()

        try:
            return [(parse_address(str(sender)), parse_address(str(recipient))) for sender, recipient in rows]
        except AddressError as error:
            raise self._error(f"holds a last word that cannot be read ({error}); restore a copy") from None

    def keep_last_words(self, added: Iterable[Word], removed: Iterable[Word], *, flush: bool) -> None:
        """Keep what is to be said from now on, and what no longer; `flush`: so that it survives the machine, too."""
        with self._errors(), nullcontext() if flush else self._unflushed(), self.batch():
            for statement, words in (
                ("DELETE FROM last_words WHERE sender = ? AND recipient = ?", removed),
                ("INSERT OR IGNORE INTO last_words VALUES (?, ?)", added),
            ):
                self._database.executemany(statement, [(str(sender), str(to)) for sender, to in words])

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Make many changes durable at once, when the block ends. Blocks may be nested; the outermost one counts.

        What was changed before the block raised something is kept as well: the memory of whoever asks has it already.
        Only where the file itself fails, SQLite may undo the whole block; that is a StoreError.
        """
        self._open_batches += 1

        try:
            if self._open_batches == 1:
                with self._errors():
                    self._database.execute("BEGIN")

            yield
        finally:
            self._open_batches -= 1

            if self._open_batches == 0:
                with self._errors():
                    # A disk that is full, for one, ends a transaction by itself.
                    if self._database.in_transaction:
                        self._database.execute("COMMIT")

    def close(self) -> None:
        """Release the file; `open` opens it again. What is in memory only stays."""
        if self._opened is not None and self._path is not None:
            self._opened.close()
            self._opened = None

    @property
    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            raise self._error("is not open")

        return self._opened

    @contextmanager
    def _unflushed(self) -> Iterator[None]:
        # SQLite refuses to change this inside a transaction, whose flush then serves for all of it.
        if self._open_batches:
            yield
            return

        self._database.execute("PRAGMA synchronous = NORMAL")

        try:
            yield
        finally:
            self._database.execute("PRAGMA synchronous = FULL")

    def _prepare(self) -> None:
        execute = self._database.execute
        # Before the first read, which would take a lock that other processes may share.
        execute("PRAGMA locking_mode = EXCLUSIVE")
        application, schema = (execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        is_new = not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]

        if not is_new and application != APPLICATION_ID:
            raise self._error("is a database of another program; name another file, or move this one away")

        if schema > SCHEMA:
            raise self._error(
                f"was written by a newer version (schema {schema}, this one knows {SCHEMA}); use that version, or "
                "another file"
            )

        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        execute("BEGIN EXCLUSIVE")

        if is_new:
            for statement in _CREATE:
                execute(statement)

            execute(f"PRAGMA application_id = {APPLICATION_ID}")

        if schema < SCHEMA:
            execute(_CREATE_LAST_WORDS)
            execute(f"PRAGMA user_version = {SCHEMA}")

        execute("COMMIT")

    def _contact(self, row: tuple[object, ...]) -> Contact:
        user, address, state, name, groups, listed, blocked, approved, request, asked_at = row

        try:
            return Contact(
                user=parse_address(str(user)),
                address=parse_address(str(address)),
                state=State(str(state)),
                name=str(name),
                groups=tuple(map(str, json.loads(str(groups)))),
                listed=bool(listed),
                blocked=bool(blocked),
                approved=bool(approved),
                request=None if request is None else str(request),
                asked_at=asked_at if isinstance(asked_at, float) else None,
            )
        except (AddressError, ValueError, TypeError) as error:
            raise self._error(f"holds a contact of {user} that cannot be read ({error}); restore a copy") from None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(_explanation(error)) from None

    def _error(self, what: str) -> StoreError:
        return StoreError(f"the file of contacts {self._path or 'in memory'} {what}")


def _explanation(error: sqlite3.Error) -> str:
    text = str(error)

    match getattr(error, "sqlite_errorcode", None):
        case sqlite3.SQLITE_NOTADB:
            return "is no database; name another file, or move this one away"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "is in use by another process; stop that one, or name another file"
        case sqlite3.SQLITE_CANTOPEN:
            return "cannot be opened; does its folder exist, and may this user write there?"
        case sqlite3.SQLITE_READONLY:
            return "cannot be written; give this user the right to write it and its folder"
        case sqlite3.SQLITE_FULL:
            return "cannot grow: the disk is full"
        case sqlite3.SQLITE_CORRUPT:
            return f"is damaged ({text}); restore a copy"

    return f"cannot be used: {text}"
