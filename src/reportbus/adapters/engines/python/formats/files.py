"""A sink dressed as a file, for libraries that write to one."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.report import Sink


class SinkFile(io.RawIOBase):
    """A file to write to from front to end. Closing it leaves the sink as it is."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink
        self._position = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Bytes so far."""
        return self._position

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - whatever holds bytes
        """Pass the bytes on."""
        written = memoryview(data).nbytes
        self._sink.write(data)
        self._position += written
        return written
