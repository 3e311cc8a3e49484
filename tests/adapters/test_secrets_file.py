from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from contracts.secrets import CANARY, SecretsContract, refused
from reportbus.adapters.clock import ManualClock
from reportbus.adapters.secrets.file import MAX_BYTES, FileSecrets
from reportbus.core.redact import Redactor

if TYPE_CHECKING:
    from pathlib import Path


class FileStore:
    """Files that only their owner may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def put(self, name: str, text: str) -> None:
        self.put_bytes(name, text.encode())

    def put_bytes(self, name: str, content: bytes, mode: int = 0o600) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)

    def remove(self, name: str) -> None:
        self.path(name).unlink()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "secrets")


@pytest.fixture
def secrets(store: FileStore, clock: ManualClock, redactor: Redactor) -> FileSecrets:
    return FileSecrets(store.folder, clock, redactor)


class TestFileSecrets(SecretsContract):
    pass


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601])
def test_a_file_that_others_may_use_is_refused(secrets: FileSecrets, store: FileStore, mode: int) -> None:
    store.put_bytes("acme", f'{{"password": "{CANARY}"}}'.encode(), mode)
    error = refused(secrets, "acme")
    assert error.code == "SEC_SECRET_EXPOSED"
    assert f"{mode:04o}" in error.text
    assert "chmod 600" in error.text


def test_a_file_that_only_its_owner_may_read_is_taken(secrets: FileSecrets, store: FileStore) -> None:
    store.put_bytes("acme", b'{"password": "x"}', 0o400)
    assert secrets.get("acme")["password"] == "x"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe{\x00}\x00",
        b'{"password": "%b\xff"}' % CANARY.encode(),
        b'["a"]',
        b'"text"',
        b"1",
        b"[" * 50_000,
    ],
)
def test_a_file_with_anything_else_than_an_object_is_refused(
    secrets: FileSecrets, store: FileStore, content: bytes
) -> None:
    store.put_bytes("acme", content)
    assert refused(secrets, "acme").code == "SEC_SECRET_FORMAT"


def test_a_byte_order_mark_does_no_harm(secrets: FileSecrets, store: FileStore) -> None:
    store.put_bytes("acme", b'\xef\xbb\xbf{"password": "x"}')
    assert secrets.get("acme")["password"] == "x"


def test_a_file_larger_than_any_secret_is_refused(secrets: FileSecrets, store: FileStore) -> None:
    store.put("largest", f'{{"value": "{"x" * (MAX_BYTES - 13)}"}}')
    assert len(secrets.get("largest")["value"]) == MAX_BYTES - 13
    store.put("larger", f'{{"value": "{"x" * (MAX_BYTES - 12)}"}}')
    error = refused(secrets, "larger")
    assert (error.code, "larger than" in error.text) == ("SEC_SECRET_FORMAT", True)


def test_a_folder_or_a_pipe_in_a_files_place_is_refused_and_not_waited_for(
    secrets: FileSecrets, store: FileStore
) -> None:
    store.path("folder").mkdir(parents=True)
    os.mkfifo(store.path("pipe"), 0o600)
    assert [refused(secrets, name).code for name in ("folder", "pipe")] == ["SEC_SECRET_FORMAT"] * 2


def test_a_file_below_a_file_is_not_found(secrets: FileSecrets, store: FileStore) -> None:
    store.put("acme", '{"password": "x"}')
    store.path("acme").rename(store.folder / "acme")
    assert refused(secrets, "acme/sftp").code == "SEC_SECRET_NOT_FOUND"
