from __future__ import annotations

import base64
from time import perf_counter

import pytest

from reportbus.core.inline_secrets import holds_login, without_secrets
from reportbus.core.text import quoted

CODED = base64.b64encode(bytes(range(7, 60))).decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sftp://user:s3cret@host/in", "sftp://user:***@host/in"),
        ("sftp://user:s3/c r'e\"t@host/in", "sftp://user:***@host/in"),
        ("sftp://user:s3@cret@host", "sftp://user:***@host"),
        ("user:s3cret@host", "user:***@host"),
        ("see a://b:s3cret@c and d://e:s3cret@f", "see a://b:***@f"),
        ("https://host/in?sig=s3cret", "https://host/in?***"),
        ("https://host/in#access_token=s3cret", "https://host/in#***"),
        ("https://user:s3cret@host/in?code=s3cret&x=1", "https://user:***@host/in?***"),
        ("in/x?X-Amz-Signature=s3cret", "in/x?***"),
        ("Basic dXNlcjpzM2NyZXQ=", "Basic ***"),
        (f"key {CODED} end", "key *** end"),
        ("aB3" * 12, "***"),
    ],
)
def test_what_may_be_a_secret_within_a_value_is_masked(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    assert quoted(text) == f"'{shown}'"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user@host",
        "user:@host",
        "sftp://host:22/in",
        "name@example.com, other@example.com",
        "10:30",
        "a@example.com\r\nBcc: evil@example.com",
        "what now?",
        "{{ report }}_{{ as_of }}.pdf",
        "Finance/Monthly/Overview/ByRegionAndProductGroup/2026",
        "123e4567-e89b-12d3-a456-426614174000",
        "/key=value/region_name=north",
        "x" * 300,
    ],
)
def test_what_is_no_secret_stands_as_it_is(text: str) -> None:
    assert without_secrets(text) == text


def test_a_login_is_a_user_with_a_password() -> None:
    assert holds_login("sftp://user:s3cret@host")
    assert holds_login("user:s3cret@host")
    for text in ("sftp://user@host", "user:@host", "sftp://host:22/in", "@", ":@", ""):
        assert not holds_login(text)


def test_a_secret_is_gone_before_the_value_is_cut() -> None:
    assert "s3cret" not in quoted("sftp://user:" + "s3cret" * 100 + "@host")


@pytest.mark.parametrize("piece", [":", "@", "?", "#", "=", "://", "a:b@", "aB3", "a", "/", "aaaaaaaaaa= "])
def test_a_long_text_takes_no_time_to_speak_of(piece: str) -> None:
    started = perf_counter()
    without_secrets(piece * (262_144 // len(piece)))

    assert perf_counter() - started < 1
