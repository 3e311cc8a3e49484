"""A folder as destination: of this machine, or one that is mounted (NFS, CIFS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from reportbus.adapters.destinations.folder_leftovers import Leftovers, TemporaryNames
from reportbus.adapters.destinations.folder_round import FolderRound
from reportbus.adapters.destinations.folder_tree import FolderTree
from reportbus.adapters.durable_files import FileSyncs, file_sync, no_failpoint
from reportbus.adapters.folder_errors import folder_error
from reportbus.adapters.folder_probe import probe
from reportbus.core.errors import ReportbusError
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportbus.adapters.destinations.folder_tree import OpenFolder
    from reportbus.adapters.durable_files import Failpoint, SyncMaker
    from reportbus.ports import Attempt, Delivery

_FOLDERS_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """What can be configured of a folder destination.

    `root` is absolute and exists; with `mounted` it must be a mount point, so that nothing is written into
    the bare folder below a share that is away. `mkdirs` makes missing folders below it. Without `replace`,
    another file under the final name stays and the delivery is refused. `verify` reads each file back before
    its rename ("hash"), or only looks at its size. Temporary files stand beside the final ones, or in
    `temporary_folder` below the root, as `<prefix><delivery id>-<token><suffix>`; one that is older
    than `stale_after` seconds is removed.
    """

    root: str
    mkdirs: bool = True
    mounted: bool = False
    replace: bool = True
    verify: Literal["hash", "size"] = "hash"
    temporary_folder: str = ""
    temporary_prefix: str = ".reportbus-"
    temporary_suffix: str = ".part"
    stale_after: float = 86_400.0


class FolderDestination:
    """Whole files under their final names below `options.root`, and nothing else."""

    def __init__(
        self,
        options: FolderOptions,
        *,
        sync: SyncMaker = file_sync,
        failpoint: Failpoint = no_failpoint,
    ) -> None:
        self._options = options
        self._failpoint = failpoint
        self._names = TemporaryNames(options.temporary_prefix, options.temporary_suffix)
        self._leftovers = Leftovers(self._names, options.stale_after)
        self._syncs = FileSyncs(sync)

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Attempt]:
        answers: dict[int, Attempt] = {}
        for numbered in _rounds(deliveries):
            try:
                with self._tree() as tree:
                    answers |= FolderRound(
                        self._options, tree, self._syncs, self._names, self._leftovers, self._failpoint
                    ).deliver(numbered)
            except ReportbusError as error:  # the root itself
                answers |= dict.fromkeys(numbered, error)
        return [answers[number] for number in range(len(deliveries))]

    def test(self) -> Verdict:
        try:
            with FolderTree(self._options.root, mkdirs=False, mounted=self._options.mounted) as tree:
                self._probe(self._nearest(tree))
        except ReportbusError as error:
            return Verdict.refusing(error)
        return Verdict(ok=True, text=f"{self._options.root} is there and can be written to")

    def close(self) -> None:
        self._syncs.close()

    def _tree(self) -> FolderTree:
        return FolderTree(self._options.root, mkdirs=self._options.mkdirs, mounted=self._options.mounted)

    def _nearest(self, tree: FolderTree) -> OpenFolder:
        """The temporary folder; or the nearest one above it, where a delivery would make it."""
        path = self._options.temporary_folder
        while True:
            try:
                return tree.folder(path)
            except ReportbusError as error:
                if not self._options.mkdirs or not isinstance(error.__cause__, FileNotFoundError):
                    raise
                path = path.rpartition("/")[0]

    def _probe(self, place: OpenFolder) -> None:
        name = self._names.new("test")
        try:
            probe(place.fd, name)
        except OSError as error:
            raise folder_error(error, f"writing {place.path}/{name}") from error


def _rounds(deliveries: Sequence[Delivery]) -> Iterator[Mapping[int, Delivery]]:
    """The deliveries under their positions, in parts that go to a bounded number of folders each."""
    by_path: dict[str, dict[int, Delivery]] = {}
    for number, delivery in enumerate(deliveries):
        by_path.setdefault(delivery.target.path, {})[number] = delivery
    paths = list(by_path)
    for start in range(0, len(paths), _FOLDERS_AT_ONCE):
        part: dict[int, Delivery] = {}
        for path in paths[start : start + _FOLDERS_AT_ONCE]:
            part |= by_path[path]
        yield part
