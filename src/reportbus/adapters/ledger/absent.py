"""The ledger before the line has run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.core.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportbus.core.model import Artifact, Request
    from reportbus.ports import (
        AuditRow,
        Broken,
        DeliveryState,
        DeliveryView,
        ErrorView,
        Filter,
        JobView,
        RequestView,
        WorkerView,
    )


class NoRecords:
    """A ledger that was not made yet, for looking: there is nothing in it."""

    def find(self, request_id: str) -> RequestView | None:
        del request_id
        return None

    def of_rows(self, rows: Mapping[str, str]) -> Mapping[str, RequestView]:
        del rows
        return {}

    def list(self, which: Filter) -> Sequence[RequestView]:
        del which
        return ()

    def content(self, request_id: str) -> Request | None:
        del request_id
        return None

    def counts(self) -> Mapping[Status, int]:
        return dict.fromkeys(Status, 0)

    def jobs(self, request_id: str) -> Sequence[JobView]:
        del request_id
        return ()

    def deliveries(
        self, request_id: str | None, *, state: DeliveryState | None = None, limit: int = 1000
    ) -> Sequence[DeliveryView]:
        del request_id, state, limit
        return ()

    def audit(self, request_id: str | None = None) -> Iterator[AuditRow]:
        del request_id
        return iter(())

    def errors(self, request_id: str | None, *, limit: int = 1000) -> Sequence[ErrorView]:
        del request_id, limit
        return ()

    def verify(self, request_id: str | None = None) -> Iterator[Broken]:
        del request_id
        return iter(())

    def workers(self) -> Sequence[WorkerView]:
        return ()

    def outputs(self, request_id: str) -> Sequence[Artifact]:
        del request_id
        return ()
