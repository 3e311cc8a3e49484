"""Notices as JSON, one line each."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Transient
from reportbus.core.model import Receipt
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from reportbus.core.model import JsonValue
    from reportbus.ports import Attempt, Notice

_EVENT: Final = "request.ended"


class LogChannel:
    """Writes each notice as one line of JSON to `stream`, which stays open when the channel is closed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, notices: Sequence[Notice]) -> Sequence[Attempt]:
        lines = "".join(f"{json.dumps(_record(notice))}\n" for notice in notices)
        try:
            with self._lock:
                self._stream.write(lines)
                self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: somebody closed it
            return [Transient("TemporaryFailure", f"the log of notices cannot be written: {error}")] * len(
                notices
            )
        return [
            Receipt(location="log", verified="reply", possible_duplicate=notice.possible_duplicate)
            for notice in notices
        ]

    def test(self) -> Verdict:
        try:
            self._stream.writable()
        except ValueError as error:  # somebody closed it
            return Verdict(ok=False, text=f"the log of notices cannot be written: {error}")
        return Verdict(ok=True, text="notices are lines in the log")

    def close(self) -> None:
        """Nothing to let go of: the stream is its owner's."""


def _record(notice: Notice) -> dict[str, JsonValue]:
    request, outcome = notice.request, notice.outcome
    return {
        "event": _EVENT,
        "notice_id": notice.notice_id,
        "at": notice.at.isoformat(),
        "request_id": request.request_id,
        "report_type": request.report_type,
        "report_name": request.report_name,
        "status": outcome.status.value,
        "code": outcome.code,
        "text": outcome.text,
        "delivered": list(notice.delivered),
        "missing": list(notice.missing),
        "files": [
            {"name": each.file_name, "format": each.format, "size": each.size} for each in notice.artifacts
        ],
        "to": list(notice.to),
        "possible_duplicate": notice.possible_duplicate,
    }
