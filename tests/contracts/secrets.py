"""What every place that holds secrets does."""

from __future__ import annotations

import copy
import json
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import pytest

from reportbus.core.errors import Permanent
from reportbus.core.redact import MASK

if TYPE_CHECKING:
    from reportbus.adapters.clock import ManualClock
    from reportbus.core.redact import Redactor
    from reportbus.ports import Secrets

CANARY = "CANARY-s3cr3t-7f3a"
FIVE_MINUTES = 300


class Store(Protocol):
    """Where an administrator keeps the secrets."""

    def put(self, name: str, text: str) -> None:
        """Store this text under the name."""

    def remove(self, name: str) -> None:
        """Remove what is stored under the name."""


def refused(secrets: Secrets, name: str) -> Permanent:
    """The error of asking for the secret, by either way; it must not show the secret, nor may its trace."""
    with pytest.raises(Permanent) as refreshed:
        secrets.refresh(name)
    with pytest.raises(Permanent) as got:
        secrets.get(name)
    assert (refreshed.value.code, refreshed.value.text) == (got.value.code, got.value.text)
    assert CANARY not in "".join(traceback.format_exception(got.value))
    error: BaseException | None = got.value
    while error is not None:
        assert CANARY not in f"{error.args} {vars(error)} {getattr(error, 'doc', '')}"
        assert CANARY.encode() not in getattr(error, "object", b"")
        error = error.__context__
    return got.value


class SecretsContract:
    """The subclass has two fixtures, `secrets` and their `store`.

    There are a `clock` and a `redactor` that it passes on.
    """

    @pytest.fixture
    def password(self, store: Store) -> str:
        store.put("acme-sftp", json.dumps({"username": "ann", "password": CANARY}))
        return "acme-sftp"

    def test_a_secret_has_the_fields_that_were_stored(self, secrets: Secrets, password: str) -> None:
        expected = {"username": "ann", "password": CANARY}
        assert dict(secrets.get(password)) == expected
        assert dict(secrets.refresh(password)) == expected

    @pytest.mark.parametrize("name", ["a", "Acme_2", "prod/delivery/acme-sftp", "db.main", "a+b=c@d"])
    def test_names_may_have_parts(self, secrets: Secrets, store: Store, name: str) -> None:
        store.put(name, '{"key": "value"}')
        assert secrets.get(name)["key"] == "value"

    def test_values_are_taken_as_they_are(self, secrets: Secrets, store: Store) -> None:
        value = ' "quoted" \\ ü \n-----BEGIN PRIVATE KEY-----\n {{ x }} ${HOME}'
        store.put("odd", json.dumps({"value": value, "port": 22, "": ""}))
        assert dict(secrets.get("odd")) == {"value": value, "port": "22", "": ""}

    # -- nothing shows a value ----------------------------------------------------------------------------

    def test_a_secret_shown_as_text_has_names_and_no_values(self, secrets: Secrets, password: str) -> None:
        secret = secrets.get(password)
        for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{copy.copy(secret)!r}"):
            assert CANARY not in shown
            assert "password" in shown

    def test_a_field_that_is_missing_is_named_with_those_there_are(
        self, secrets: Secrets, password: str
    ) -> None:
        secret = secrets.get(password)
        with pytest.raises(Permanent) as missing:
            secret["private_key"]
        assert missing.value.code == "SEC_SECRET_FORMAT"
        assert all(
            word in str(missing.value) for word in ("acme-sftp", "private_key", "password", "username")
        )
        assert CANARY not in str(missing.value)
        assert str(missing.value) == f"SEC_SECRET_FORMAT: {missing.value.text}"

    def test_optional_fields_can_be_asked_for(self, secrets: Secrets, password: str) -> None:
        secret = secrets.get(password)
        assert ("password" in secret, "private_key" in secret) == (True, False)
        assert (secret.get("username"), secret.get("private_key"), secret.get("port", "22")) == (
            "ann",
            None,
            "22",
        )

    def test_every_value_is_masked_once_the_secret_was_read(
        self, secrets: Secrets, store: Store, redactor: Redactor
    ) -> None:
        fields = {"password": CANARY, "api_key": "key-Zx81", "dsn": "Server=db;Pwd=in-a-string;Timeout=5"}
        store.put("acme", json.dumps(fields))
        for value in secrets.get("acme").values():
            assert redactor.redact(f"with {value} in it") == f"with {MASK} in it"
        assert redactor.redact("log-in failed for in-a-string") == f"log-in failed for {MASK}"

    def test_a_rotated_value_is_masked_once_it_was_read_and_the_old_one_still(
        self, secrets: Secrets, store: Store, redactor: Redactor
    ) -> None:
        store.put("acme", '{"password": "old-password"}')
        secrets.get("acme")
        store.put("acme", '{"password": "new-password"}')
        assert redactor.redact("new-password") == "new-password"
        secrets.refresh("acme")
        assert redactor.redact("old-password, new-password") == f"{MASK}, {MASK}"

    # -- what is wrong ------------------------------------------------------------------------------------

    @pytest.mark.parametrize("name", ["missing", "prod/missing", "a" * 200])
    def test_a_secret_that_is_not_there_is_named(self, secrets: Secrets, name: str) -> None:
        error = refused(secrets, name)
        assert error.code == "SEC_SECRET_NOT_FOUND"
        assert name in error.text

    @pytest.mark.parametrize(
        "name",
        ["", "*", "..", "../acme-sftp", "/etc/passwd", "a//b", "a/../acme-sftp", ".hidden", "a\x00b", "ä\n"],
    )
    def test_a_name_that_is_none_finds_nothing(self, secrets: Secrets, password: str, name: str) -> None:
        assert refused(secrets, name).code == "SEC_SECRET_NOT_FOUND"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " \n",
            "{}",
            f'{{"password": "{CANARY}"',
            f'{{"password": "{CANARY}"}} {{}}',
            f'{{"password": ["{CANARY}"]}}',
            f'{{"password": {{"{CANARY}": "x"}}}}',
            f'{{"password": "{CANARY}", "port": null}}',
            f'{{"password": "{CANARY}", "on": true}}',
            f'{{"password": "{CANARY}", "password": "{CANARY}"}}',
            f"{{'password': '{CANARY}'}}",
            '{"a":' * 100_000,
        ],
    )
    def test_a_secret_that_is_no_object_of_texts_is_refused_without_showing_it(
        self, secrets: Secrets, store: Store, text: str
    ) -> None:
        store.put("broken", text)
        error = refused(secrets, "broken")
        assert error.code == "SEC_SECRET_FORMAT"
        assert "broken" in error.text

    # -- the cache ----------------------------------------------------------------------------------------

    def test_a_changed_secret_is_seen_within_five_minutes(
        self, secrets: Secrets, store: Store, clock: ManualClock
    ) -> None:
        store.put("acme", '{"password": "old"}')
        assert secrets.get("acme")["password"] == "old"
        store.put("acme", '{"password": "new"}')
        clock.advance(FIVE_MINUTES)
        assert secrets.get("acme")["password"] == "new"

    def test_a_secret_is_not_read_anew_each_time(
        self, secrets: Secrets, store: Store, clock: ManualClock
    ) -> None:
        store.put("acme", '{"password": "old"}')
        secrets.get("acme")
        store.remove("acme")
        clock.advance(FIVE_MINUTES - 1)
        assert secrets.get("acme")["password"] == "old"
        clock.advance(1)
        assert refused(secrets, "acme").code == "SEC_SECRET_NOT_FOUND"

    def test_a_refresh_sees_the_change_at_once_and_so_does_everybody_after_it(
        self, secrets: Secrets, store: Store, clock: ManualClock
    ) -> None:
        store.put("acme", '{"password": "old"}')
        secrets.get("acme")
        clock.advance(FIVE_MINUTES - 1)
        store.put("acme", '{"password": "new"}')
        assert secrets.refresh("acme")["password"] == "new"
        store.remove("acme")
        clock.advance(FIVE_MINUTES - 1)
        assert secrets.get("acme")["password"] == "new"

    def test_a_secret_that_was_missing_is_found_once_it_is_there(
        self, secrets: Secrets, store: Store
    ) -> None:
        assert refused(secrets, "acme").code == "SEC_SECRET_NOT_FOUND"
        store.put("acme", '{"password": "new"}')
        assert secrets.get("acme")["password"] == "new"

    def test_a_secret_in_use_does_not_change_under_its_user(self, secrets: Secrets, store: Store) -> None:
        store.put("acme", '{"password": "old"}')
        in_use = secrets.get("acme")
        store.put("acme", '{"password": "new"}')
        secrets.refresh("acme")
        assert in_use["password"] == "old"

    def test_many_threads_may_ask_at_once(self, secrets: Secrets, store: Store) -> None:
        for number in range(4):
            store.put(f"acme-{number}", json.dumps({"password": str(number)}))

        def ask(number: int) -> bool:
            found = secrets.get(f"acme-{number % 4}") if number % 3 else secrets.refresh(f"acme-{number % 4}")
            return found["password"] == str(number % 4)

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(ask, range(200)))
