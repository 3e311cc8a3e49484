"""Staged: hear that files have come to stand on staging, and wake whoever delivers them."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from reportbus.core.created_event import created_from_text
from reportbus.core.errors import Problem
from reportbus.core.names import check_request_id, parse_staging_key
from reportbus.core.text import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reportbus.core.redact import Redactor
    from reportbus.ports import Consumer, Message, Operations

_log: Final = logging.getLogger(__name__)

_CODE: Final = "EVT_IGNORED"
_SHOWN: Final = 100
_BATCH: Final = 500


class Staged:
    """The pump behind staging's object-created events; used by one thread at a time.

    An event is believed no further than "look at this key", and the ledger alone says what there is to
    deliver: an event may be doubled, late, forged or lost without a report going astray. `ignored` counts
    those so far that name no key of ours, or one of a request that the ledger does not know.
    """

    def __init__(
        self,
        *,
        consumer: Consumer,
        operations: Operations,
        wake: Callable[[], None],
        redactor: Redactor,
    ) -> None:
        self._consumer = consumer
        self._operations = operations
        self._wake = wake
        self._redact = redactor.redact
        self.ignored = 0

    def run_once(self, timeout: float) -> int:
        """Hear what comes within `timeout` seconds, up to a batch; how many messages that was.

        Of those about requests of ours, `wake` is called once; the others are told, once per request.
        """
        batch = self._consumer.poll(_BATCH, timeout)
        keys = Counter(key for message in batch.messages for key in self._keys(message))
        about = {key: found.request_id for key in keys if (found := parse_staging_key(key))}
        known = self._operations.known(set(about.values())) if about else frozenset()
        if known:
            self._wake()
        self.ignored += sum(count for key, count in keys.items() if about.get(key) not in known)
        self._log_unknown({id_: key for key, id_ in about.items() if id_ not in known})
        self._note(keys.keys() - about.keys())
        if batch.messages:
            self._consumer.commit(batch)
        return len(batch.messages)

    def _log_unknown(self, keys: Mapping[str, str]) -> None:
        """Tell of keys whose requests, under which they stand here, are not in the ledger."""
        for request_id, key in keys.items():
            text = f"an object-created event names {quoted(key)}, but there is no request {request_id}"
            _log.warning("%s: %s", _CODE, self._redact(text))

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
                _log.warning("%s: %s", _CODE, text, extra={"request_id": request_id or None})


def _request_of(key: str) -> str:
    """The request that a key which is none of ours seems to belong to, or nothing."""
    parts = key.split("/", 2)
    request_id = check_request_id(parts[1]) if len(parts) > 1 and parts[0] == "reports" else ""
    return "" if isinstance(request_id, Problem) else request_id
