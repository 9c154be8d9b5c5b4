"""The file of contacts: durable after every call, whatever happens to the process."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.store import APPLICATION_ID, ContactStore, StoreError
from simulator.xmpp.address import Address, parse_address
from simulator.xmpp.subscription import State

ALICE, ROMEO = parse_address("alice@contoso.com"), parse_address("romeo@far.example")
FULL = Contact(
    user=ALICE,
    address=parse_address("rómeo@fär.example"),
    state=State.TPI,
    name="R\u00f3meo 'the' \"man\"; DROP TABLE contacts",
    groups=("Friends", "M\u00f6ntague, \\ & others"),
    listed=True,
    blocked=True,
    approved=True,
    request="<presence from='r\u00f3meo@f\u00e4r.example' type='subscribe'/>",
    asked_at=1.25,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "contacts.sqlite"


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[ContactStore]:
    store = ContactStore(None if request.param == "memory" else path)
    store.open()
    yield store
    store.close()


def test_what_was_put_is_got(store: ContactStore) -> None:
    store.put(FULL)
    store.put(Contact(user=ALICE, address=ROMEO))

    assert store.get(ALICE, FULL.address) == FULL
    assert list(store.contacts(ALICE)) == [Contact(user=ALICE, address=ROMEO), FULL]
    assert list(store.contacts(ROMEO)) == []
    assert len(list(store.contacts())) == 2


def test_a_contact_is_replaced_and_forgotten(store: ContactStore) -> None:
    store.put(FULL)
    store.put(replace(FULL, state=State.NONE, request=None, asked_at=None))

    assert [each.state for each in store.contacts()] == [State.NONE]

    store.delete(ALICE, FULL.address)
    store.delete(ALICE, FULL.address)

    assert store.get(ALICE, FULL.address) is None


def test_another_opening_finds_everything(path: Path) -> None:
    store = ContactStore(path)
    store.open()
    store.put(FULL)
    store.close()
    store.close()

    with pytest.raises(StoreError, match="is not open"):
        store.get(ALICE, ROMEO)

    store.open()
    store.open()

    assert list(store.contacts()) == [FULL]

    store.close()


def test_who_is_online_is_kept(store: ContactStore) -> None:
    for user, online in ((ALICE, True), (ALICE, True), (ROMEO, True), (ROMEO, False), (ROMEO, False)):
        store.set_online(user, online)

    with store.batch():
        store.put(FULL)
        store.set_online(FULL.user, True)

    assert store.online() == {ALICE}
    assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("flush", [True, False])
def test_last_words_are_kept_until_they_are_removed(store: ContactStore, flush: bool) -> None:
    desk, balcony = parse_address("alice@contoso.com/desk"), parse_address("romeo@far.example/balcony")
    store.keep_last_words([(ALICE, ROMEO), (desk, ROMEO), (desk, balcony)], [], flush=flush)
    store.keep_last_words([(ALICE, ROMEO)], [(desk, ROMEO), (ROMEO, ALICE)], flush=flush)

    assert store.last_words() == [(ALICE, ROMEO), (desk, balcony)]
    assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_changes_of_a_batch_are_kept_together(store: ContactStore) -> None:
    def fail() -> None:
        with store.batch():
            store.put(FULL)

            with store.batch():
                store.put(Contact(user=ALICE, address=ROMEO))

            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert len(list(store.contacts())) == 2


def test_ten_thousand_contacts_are_written_and_read_in_seconds(path: Path) -> None:
    contacts = [
        Contact(user=ALICE, address=Address(f"u{number}", "far.example"), state=State.BOTH, listed=True, name="U")
        for number in range(10_000)
    ]
    store = ContactStore(path)
    store.open()
    began = time.process_time()

    with store.batch():
        for contact in contacts:
            store.put(contact)

    store.close()
    store.open()

    assert sorted(store.contacts(), key=str) == sorted(contacts, key=str)
    assert time.process_time() - began < 10

    store.close()


def prepared(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)

    database.close()


def own(path: Path) -> None:
    store = ContactStore(path)
    store.open()
    store.put(FULL)
    store.close()


def test_a_file_of_something_else_is_refused(path: Path) -> None:
    path.write_bytes(b"no database " * 100)

    with pytest.raises(StoreError, match=rf"{path} is no database; name another file"):
        ContactStore(path).open()


def test_a_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    prepared(path, "CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()

    with pytest.raises(StoreError, match="is a database of another program"):
        ContactStore(path).open()

    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(path: Path) -> None:
    own(path)
    prepared(path, "PRAGMA user_version = 7")

    with pytest.raises(StoreError, match=r"newer version \(schema 7, this one knows 2\); use that version"):
        ContactStore(path).open()


def test_a_file_of_the_schema_before_this_one_is_taken_as_it_is(path: Path) -> None:
    own(path)
    prepared(path, "DROP TABLE last_words", f"INSERT INTO online VALUES ('{ALICE}')", "PRAGMA user_version = 1")
    store = ContactStore(path)
    store.open()
    store.keep_last_words([(ALICE, ROMEO)], [], flush=True)

    assert list(store.contacts()) == [FULL]
    assert store.online() == {ALICE}
    assert store.last_words() == [(ALICE, ROMEO)]

    store.close()
    store.open()

    assert store.last_words() == [(ALICE, ROMEO)]

    store.close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "contacts.sqlite"

    with pytest.raises(StoreError, match=f"{path} cannot be opened; does its folder exist"):
        ContactStore(path).open()


def test_a_second_process_is_kept_out(path: Path) -> None:
    own(path)
    store = ContactStore(path)
    store.open()
    again = f"from simulator.gateway.contacts.store import *; ContactStore({str(path)!r}).open()"
    result = subprocess.run([sys.executable, "-c", again], capture_output=True, text=True, check=False)
    store.close()

    assert result.stderr.splitlines()[-1].endswith(
        f"{path} is in use by another process; stop that one, or name another file"
    )


@pytest.mark.parametrize("column", ["user = '@'", "state = 'X'", "groups = '{'"])
def test_a_row_that_cannot_be_read_is_an_error(path: Path, column: str) -> None:
    own(path)
    prepared(path, f"UPDATE contacts SET {column}")
    store = ContactStore(path)
    store.open()

    with pytest.raises(StoreError, match="that cannot be read"):
        list(store.contacts())

    store.close()


def test_a_last_word_that_cannot_be_read_is_an_error(path: Path) -> None:
    own(path)
    prepared(path, "INSERT INTO last_words VALUES ('@', 'romeo@far.example')")
    store = ContactStore(path)
    store.open()

    with pytest.raises(StoreError, match="holds a last word that cannot be read"):
        store.last_words()

    store.close()


def test_damage_is_named(path: Path) -> None:
    own(path)
    data = bytearray(path.read_bytes())
    data[4096 : 2 * 4096] = b"\xff" * 4096
    path.write_bytes(bytes(data))
    store = ContactStore(path)
    store.open()

    with pytest.raises(StoreError, match=r"is damaged .*; restore a copy"):
        list(store.contacts())

    store.close()


def test_the_file_says_whose_it_is(path: Path) -> None:
    own(path)

    assert path.read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big") == b"S2SC"


WRITER = """
import sys
from simulator.gateway.contacts.contact import Contact
from simulator.gateway.contacts.store import ContactStore
from simulator.xmpp.address import Address
from simulator.xmpp.subscription import State

store, first = ContactStore(sys.argv[1]), int(sys.argv[2])
store.open()
user = Address("alice", "contoso.com")

for number in range(first, first + 1000000):
    contact = Address(f"u{number % 50}", "far.example")
    store.put(Contact(user=user, address=contact, state=list(State)[number % 9], name=str(number), listed=True))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_a_change_that_was_made_survives_kill_9(path: Path) -> None:
    """Twenty times a process is killed in the middle of its writing; what it had said to be done is there."""
    chance, last = random.Random(6121), -1

    for _ in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(last + 1)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None

            for _ in range(chance.randrange(1, 60)):
                last = int(writer.stdout.readline())

            os.kill(writer.pid, signal.SIGKILL)
            rest = writer.stdout.read().split("\n")[:-1]
            last = int(rest[-1]) if rest else last

        store = ContactStore(path)
        store.open()
        kept = {each.address.local: int(each.name) for each in store.contacts()}
        states = {each.name: each.state for each in store.contacts()}
        store.close()
        newest = max(kept.values())

        # The one after the last that was said may have been made as well.
        assert newest in (last, last + 1)
        assert kept == {f"u{number % 50}": number for number in range(max(0, newest - 49), newest + 1)}
        assert all(state is list(State)[int(name) % 9] for name, state in states.items())
        last = newest
