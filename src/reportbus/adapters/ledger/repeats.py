"""Rows with an id that the ledger has already: whose row each is, and which of them are news."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from reportbus.core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportbus.ports import Submission


class Standing(NamedTuple):
    """A request that stands in the ledger.

    `awaited` is set where its row shows PENDING in the worktable by rights: the request waits for a worker,
    or the worktable was not told yet how it stands.
    """

    key: int
    digest: str
    ref: str
    awaited: bool


class News(NamedTuple):
    """Something to be put on record about the request `key`.

    A row that is the `same` as before, or one with other content. With `again` the worktable shows it PENDING
    although it was told better, and has to be told once more.
    """

    key: int
    digest: str
    same: bool
    again: bool


def own_rows(submissions: Sequence[Submission], known: Mapping[str, Standing]) -> list[Submission]:
    """Each submission, or for a further row with the id of another row a refusal of that row alone.

    The refusal has a made-up id: the row has to be told, and the request that stands must not be touched.
    """
    refs = {id_: standing.ref for id_, standing in known.items()}
    digests = {id_: standing.digest for id_, standing in known.items()}
    rows = []
    for item in submissions:
        first = refs.setdefault(item.request_id, item.ref) == item.ref
        digest = digests.setdefault(item.request_id, item.digest)
        rows.append(item if first else _refused(item, same=digest == item.digest))
    return rows


def new_rows(rows: Sequence[Submission], known: Mapping[str, Standing]) -> dict[str, Submission]:
    """The first row for each id that is not known."""
    fresh: dict[str, Submission] = {}
    for row in rows:
        if row.request_id not in known:
            fresh.setdefault(row.request_id, row)
    return fresh


def news(
    submissions: Sequence[Submission],
    rows: Sequence[Submission],
    fresh: Mapping[str, Submission],
    standing: Mapping[str, Standing],
) -> Iterator[News]:
    """What is to be put on record of `submissions`, whose own rows are `rows`; the `fresh` ones are taken in.

    The bus doubles messages, and a row that waits is published again and again: that a request is known whose
    row is awaited to show PENDING is no news.
    """
    for item, row in zip(submissions, rows, strict=True):
        if fresh.get(row.request_id) is not row:
            own = standing[row.request_id]
            same = row.digest == own.digest
            if not (same and own.awaited):
                yield News(own.key, row.digest, same, again=not own.awaited)
        elif row is not item:
            first = standing[item.request_id]
            yield News(first.key, item.digest, item.digest == first.digest, again=False)


def _refused(item: Submission, *, same: bool) -> Submission:
    made_up = f"duplicate-{sha256(f'{item.ref} {item.digest}'.encode()).hexdigest()[:24]}"
    text = f"another row has the id {item.request_id}; that one stands, this is not run"
    code = "VAL_DUPLICATE_ID" if same else "VAL_DUPLICATE_ID_CONFLICT"
    return item._replace(request_id=made_up, request=None, problems=(Problem(code, text, "REQUEST_ID"),))
