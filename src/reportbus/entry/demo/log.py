"""The log of the demo's roles: a file, since the terminal belongs to the demo itself."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reportbus.telemetry import fields, text_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reportbus.core.redact import Redactor


@contextmanager
def logging_to(path: Path, redactor: Redactor) -> Iterator[None]:
    """Log our records into the file, behind what stands there."""
    handler = _LogFile(path, redactor)
    logger = logging.getLogger("reportbus")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()


class _LogFile(logging.FileHandler):
    def __init__(self, path: Path, redactor: Redactor) -> None:
        super().__init__(path, encoding="utf-8")
        self._redact = redactor.redact

    def format(self, record: logging.LogRecord) -> str:
        """The line that the other logs have."""
        return text_line(fields(record, self._redact))
