"""Retrying: the next run of a failed request, from staging where the report still stands there unharmed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Permanent, Problem, Refused
from reportbus.core.model import Status
from reportbus.ports import StagedObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.core.model import Artifact
    from reportbus.ports import Filter, Operations, Records, RequestView, Staging

_ENDED_BY_PEOPLE: Final = frozenset({"RUN_CANCELLED", "RUN_EXPIRED"})
_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Retried:
    """A retry that was asked for.

    `run` is the new run, `staged` whether it begins from staging. Where a replay found nothing to do,
    `opened` is False and `run` the one there is.
    """

    request_id: str
    run: int
    staged: bool = False
    opened: bool = True


def retry(request_id: str, by: str, operations: Operations, records: Records, staging: Staging) -> Retried:
    """Open the next run of a FAILED request. Raises Refused where there can be none."""
    files = records.outputs(request_id)
    staged = bool(files) and all(_stands(file, staging) for file in files)
    return Retried(request_id, operations.retry(request_id, by, staged=staged), staged)


def replay(request_id: str, by: str, operations: Operations, records: Records, staging: Staging) -> Retried:
    """The same for a dead letter: replaying one that is on its way again, or has arrived, does nothing.

    Raises Refused RUN_NO_DEAD_LETTER for what never was one, or ended otherwise since.
    """
    view = records.find(request_id)
    if view is not None and view.status is not Status.FAILED and view.run > 1:
        return Retried(request_id, view.run, opened=False)
    if view is not None and not is_dead_letter(view):
        raise no_dead_letter(view)
    return retry(request_id, by, operations, records, staging)


def dead_letters(records: Records, which: Filter) -> Iterator[RequestView]:
    """Requests that failed for good by a fault, newest first, up to the filter's limit."""
    return islice((view for view in _failed(records, which) if is_dead_letter(view)), which.limit)


def is_dead_letter(view: RequestView) -> bool:
    """Whether the newest run ended by a fault: not refused at intake, not cancelled, not expired."""
    return view.status is Status.FAILED and not view.refused and view.code not in _ENDED_BY_PEOPLE


def no_dead_letter(view: RequestView) -> Refused:
    """The refusal to treat as a dead letter what is none, with the reason."""
    match view:
        case _ if view.status is not Status.FAILED:
            why = f"it is {view.status}, and only what failed by a fault is one"
        case _ if view.refused:
            why = "it was refused at intake, and never had work that could be done again"
        case _:
            why = f"people or its deadline ended it ({view.code}); to have it after all, retry it"
    return Refused([Problem("RUN_NO_DEAD_LETTER", f"{view.request_id} is no dead letter: {why}")])


def _stands(file: Artifact, staging: Staging) -> bool:
    """Whether the file still stands on staging, with the bytes that were recorded."""
    try:
        return staging.find(file.key) == StagedObject(file.key, file.size, file.sha256)
    except Permanent as error:
        if error.code != "STG_MISMATCH":
            raise
        return False


def _failed(records: Records, which: Filter) -> Iterator[RequestView]:
    before = which.before_key
    while True:
        page = records.list(replace(which, status=(Status.FAILED,), before_key=before, limit=_PAGE))
        yield from page
        if len(page) < _PAGE:
            return
        before = page[-1].request_key
