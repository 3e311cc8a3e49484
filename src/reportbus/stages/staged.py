"""Staged: hear that files have come to stand on staging, and wake whoever delivers them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from reportbus.core.created_event import created_from_text
from reportbus.core.errors import Problem
from reportbus.core.names import check_request_id, parse_staging_key
from reportbus.core.text import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.core.redact import Redactor
    from reportbus.ports import Consumer, Message, Operations

_log: Final = logging.getLogger(__name__)

_CODE: Final = "EVT_IGNORED"
_SHOWN: Final = 100


class Staged:
    """The pump behind staging's object-created events; used by one thread at a time.

    An event is believed no further than "look at this key", and the ledger alone says what there is to
    deliver: an event may be doubled, late, forged or lost without a report going astray. `ignored` counts
    those so far that name no key of ours.
    """

    def __init__(
        self,
        *,
        consumer: Consumer,
        operations: Operations,
        wake: Callable[[], None],
        redactor: Redactor,
        batch: int = 500,
    ) -> None:
        self._consumer = consumer
        self._operations = operations
        self._wake = wake
        self._redact = redactor.redact
        self._batch = batch
        self.ignored = 0

    def run_once(self, timeout: float) -> int:
        """Hear what comes within `timeout` seconds, up to a batch; how many messages that was.

        Of those with one of our keys, `wake` is called once; the others are put on record, once per request.
        """
        batch = self._consumer.poll(self._batch, timeout)
        keys = [key for message in batch.messages for key in self._keys(message)]
        strange = {key for key in keys if parse_staging_key(key) is None}
        if len(strange) < len(set(keys)):
            self._wake()
        self.ignored += sum(key in strange for key in keys)
        self._note(strange)
        if batch.messages:
            self._consumer.commit(batch)
        return len(batch.messages)

    def _keys(self, message: Message) -> list[str]:
        """The keys a message names; an empty one where it names none."""
        try:
            return [event.key for event in created_from_text(message.body)]
        except ValueError as error:
            key = self._redact(one_line(message.key, _SHOWN))
            _log.warning("%s: the message with key %r holds no created events: %s", _CODE, key, error)
            return [""]

    def _note(self, keys: set[str]) -> None:
        """Audit each key that is none of ours on the request it seems to be about, or log it."""
        about: dict[str, str] = {}
        for key in sorted(keys - {""}):
            about.setdefault(_request_of(key), key)
        for request_id, key in about.items():
            text = self._redact(f"an object-created event names {quoted(key)}, which is no key of ours")
            if not request_id or not self._operations.note_ignored(request_id, _CODE, text):
                _log.warning("%s: %s", _CODE, text)


def _request_of(key: str) -> str:
    """The request that a key which is none of ours seems to belong to, or nothing."""
    parts = key.split("/", 2)
    request_id = check_request_id(parts[1]) if len(parts) > 1 and parts[0] == "reports" else ""
    return "" if isinstance(request_id, Problem) else request_id
