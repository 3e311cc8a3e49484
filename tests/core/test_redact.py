from __future__ import annotations

import base64
import html
import json
import re
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reportbus.core.redact import MASK, MOST_CHARACTERS, MOST_VALUES, SHORTEST_WITHIN_WORDS, Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "CANARY-s3cr3t-/+&<é\"'~Q"


def best_of(call: Callable[[], object]) -> float:
    """Seconds of CPU that the quickest of some calls takes."""
    taken = []
    for _ in range(20):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return min(taken)


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.register(SECRET)
    return redactor


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        re.sub("%..", lambda escape: escape[0].lower(), quote(SECRET, safe="")),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
        repr(SECRET)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_a_registered_secret_is_masked_in_every_form(redactor: Redactor, form: str) -> None:
    assert (
        redactor.redact(f"the server said: [{form}] and hung up") == f"the server said: [{MASK}] and hung up"
    )


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:", "a longer name:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_a_secret_inside_a_longer_base64_value_is_masked(redactor: Redactor, before: str, after: str) -> None:
    """As in Basic authentication, where name and password are encoded together."""
    coded = base64.b64encode(f"{before}{SECRET}{after}".encode()).decode()
    text = redactor.redact(f"sent {coded} to it")

    assert MASK in text
    left = text.removeprefix("sent ").removesuffix(" to it").split(MASK)
    assert b"CANARY" not in base64.b64decode(left[0][: len(left[0]) // 4 * 4])
    assert len("".join(left)) <= (len(before) + len(after)) * 2 + 8


def test_several_secrets_are_masked_the_longer_one_whole() -> None:
    redactor = Redactor()
    redactor.register("swordfish")
    redactor.register("swordfish-and-more")

    assert redactor.redact("swordfish-and-more, swordfish") == f"{MASK}, {MASK}"


def test_the_lines_of_a_secret_of_many_lines_are_masked_alone() -> None:
    redactor = Redactor()
    redactor.register("first line of a key\nsecond line of a key\nshort\n")

    assert redactor.redact("> second line of a key\r\n> short") == f"> {MASK}\r\n> short"


def test_blanks_around_a_secret_do_not_hide_it() -> None:
    redactor = Redactor()
    redactor.register("swordfish\n")

    assert (
        redactor.redact("with swordfish and " + base64.b64encode(b"swordfish").decode())
        == f"with {MASK} and {MASK}"
    )


@pytest.mark.parametrize("value", ["", "a", "abc", "    ", " ab "])
def test_too_short_a_value_is_not_masked(value: str) -> None:
    redactor = Redactor()
    redactor.register(value)

    assert redactor.redact("abc and a    table") == "abc and a    table"


@pytest.mark.parametrize("value", ["port", "abc12"])
def test_a_short_value_is_masked_where_it_stands_alone_and_not_within_words(value: str) -> None:
    redactor = Redactor()
    redactor.register(value)

    assert redactor.redact(f"({value}) my{value} {value}s {value}=x_{value}") == (
        f"({MASK}) my{value} {value}s {MASK}=x_{MASK}"
    )


def test_beyond_the_bound_those_are_forgotten_that_were_registered_longest_ago() -> None:
    redactor = Redactor()
    redactor.register("the-first-one", "the-second-one")
    redactor.register(*(f"one-of-many-{number}" for number in range(MOST_VALUES - 2)))
    redactor.register("the-first-one")
    redactor.register("the-last-one")

    text = "the-first-one, the-second-one, one-of-many-0, the-last-one"
    assert redactor.redact(text) == f"{MASK}, the-second-one, {MASK}, {MASK}"


def test_the_bound_holds_for_the_characters_of_all_values_too() -> None:
    redactor = Redactor()
    redactor.register("the-first-one")
    redactor.register("long" * (MOST_CHARACTERS // 4))

    assert redactor.redact("the-first-one") == "the-first-one"


def test_a_hundred_secrets_are_looked_for_in_no_more_time_than_one() -> None:
    one, many = Redactor(), Redactor()
    one.register(SECRET)
    many.register(*(f"secret-{number}-{number * 7919:x}!" for number in range(100)))
    text = "the folder /srv/in/acme does not exist; create it or mount it, then retry the request " * 20

    assert best_of(lambda: many.redact(text)) < 5 * best_of(lambda: one.redact(text))


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Basic dXNlcjpwYXNz\r\nHost: x", "Authorization: ***\r\nHost: x"),
        ("proxy-authorization=Negotiate YII", "proxy-authorization=***"),
        ("{'Authorization': 'Digest u=1, r=2', 'A': 1}", "{'Authorization': ***, 'A': 1}"),
        ('{"authorization": "Token \\"x\\" y", "a": 1}', '{"authorization": ***, "a": 1}'),
        ("got Bearer abc.DEF-123_x~ back", "got Bearer *** back"),
        ("bearer authentication is needed", "bearer authentication is needed"),
        ("at https://user:p%40ss@host/x", "at https://user:***@host/x"),
        ("sftp://user:pa@ss@host:22", "sftp://user:***@host:22"),
        ("postgresql+psycopg://:pw@/db", "postgresql+psycopg://:***@/db"),
        ("https://host:8443/a@b", "https://host:8443/a@b"),
        ("password=hunter2&x=1", "password=***&x=1"),
        ("DB_PASSWORD = hunter2 x", "DB_PASSWORD = *** x"),
        ("password: hunter2", "password: ***"),
        ("passwd='a b c' next", "passwd=*** next"),
        ('"password": "hun\\"ter2", "b": 1', '"password": ***, "b": 1'),
        ('{\\"password\\": \\"hunter2\\", \\"b\\": 1}', '{\\"password\\": ***, \\"b\\": 1}'),
        ('"password": "cut off her', '"password": ***'),
        ("password='hun'ter2 x", "password=*** x"),
        ("?api_key=abc&b=1", "?api_key=***&b=1"),
        ("X-API-Key: abc", "X-API-Key: ***"),
        ("apikey=abc", "apikey=***"),
        ("client_secret=abc;", "client_secret=***;"),
        ("access_token=abc refresh_token=def", "access_token=*** refresh_token=***"),
        ("aws_secret_access_key = wJalr/x", "aws_secret_access_key = ***"),
        ("AccountKey=abc==;", "AccountKey=***;"),
        ("?X-Amz-Signature=abc&sig=def", "?X-Amz-Signature=***&sig=***"),
        ("design=5 maximum", "design=5 maximum"),
        ("the id AKIAIOSFODNN7EXAMPLE here", "the id *** here"),
        ("ASIAIOSFODNN7EXAMPLE", "***"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_d end", "jwt *** end"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nrest",
            "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nrest",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMII cut off", "-----BEGIN PRIVATE KEY-----***"),
        ("no folder in/finance; have a, b", "no folder in/finance; have a, b"),
        ("the primary key is missing", "the primary key is missing"),
        ("SEC_SECRET_FORMAT: secret 'acme' lacks the key 'password'",) * 2,
    ],
)
def test_what_looks_like_a_credential_is_masked_and_nothing_else(text: str, redacted: str) -> None:
    assert Redactor().redact(text) == redacted


def test_a_dozen_threads_register_and_redact_at_once() -> None:
    redactor = Redactor()
    faults: list[str] = []

    def work(number: int) -> None:
        for turn in range(20):
            secret = f"secret-value-{number}-{turn}!"
            redactor.register(secret)
            if secret in redactor.redact(f"it is {secret}."):
                faults.append(secret)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert faults == []


@pytest.mark.parametrize(
    "unit",
    [
        "password", "password ", "secret = ", "eyJ-", "eyJaaaaaaaaaaaa.", "bearer ", "://a:", "://", "a@",
        '\\"', '"',
        "authorization", "-----BEGIN PRIVATE KEY-----", "AKIA", "token\\\\", "key:\n", "x",
    ],
)  # fmt: skip
def test_no_text_takes_longer_than_its_length_deserves(unit: str) -> None:
    redactor = Redactor()
    redactor.register(SECRET)
    text = unit * (200_000 // len(unit))
    started = time.process_time()
    redactor.redact(text)

    assert time.process_time() - started < 2


@given(st.text(), st.text(), st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=20))
def test_no_text_around_a_secret_lets_it_through(before: str, after: str, secret: str) -> None:
    redactor = Redactor()
    redactor.register(secret)
    masked = redactor.redact(before + secret + after)

    assert secret not in masked or len(secret.strip()) < SHORTEST_WITHIN_WORDS or secret in MASK


PIECES = st.sampled_from(
    [
        "password", "=", ":", '"', "'", "\\", " ", "\n", "abc1", "://", "@", "Bearer ", "authorization",
        "***", "sig",
        "-----BEGIN PRIVATE KEY-----", "-----END", "eyJabcdefghijk", ".", "AKIAIOSFODNN7EXAMPLE",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
@example('password=""password')
@example('authorization:"a" b')
@example('{"authorization": "a", "b": 1}')
def test_redacting_twice_is_redacting_once(text: str) -> None:
    redactor = Redactor()
    redactor.register("abc1")
    once = redactor.redact(text)

    assert redactor.redact(once) == once
