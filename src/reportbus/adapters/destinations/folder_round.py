"""Deliveries that go into a folder together, step by step, each of them failing for itself."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from reportbus.adapters.destinations.folder_file import FolderFile
from reportbus.adapters.destinations.folder_order import alone
from reportbus.adapters.destinations.folder_tree import is_plain_name
from reportbus.adapters.folder_errors import folder_error
from reportbus.core.errors import Permanent, ReportbusError
from reportbus.core.model import Receipt
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reportbus.adapters.destinations.folder import FolderOptions
    from reportbus.adapters.destinations.folder_leftovers import Leftovers, TemporaryNames
    from reportbus.adapters.destinations.folder_tree import FolderTree, OpenFolder
    from reportbus.adapters.durable_files import Failpoint, FileSync, FileSyncs, Place
    from reportbus.ports import Attempt, Delivery


class FolderRound:
    """One pass over `deliveries`: write all, sync once, verify, rename all, sync once."""

    def __init__(
        self,
        options: FolderOptions,
        tree: FolderTree,
        syncs: FileSyncs,
        names: TemporaryNames,
        leftovers: Leftovers,
        failpoint: Failpoint,
    ) -> None:
        self._options = options
        self._tree = tree
        self._syncs = syncs
        self._names = names
        self._leftovers = leftovers
        self._failpoint = failpoint
        self._files: dict[int, list[FolderFile]] = {}
        self._failed: dict[int, ReportbusError] = {}
        self._marks: dict[FileSync, int] = {}
        self._sync_by_folder: dict[int, FileSync] = {}

    def deliver(self, deliveries: Mapping[int, Delivery]) -> dict[int, Attempt]:
        """What came of each delivery, under its number."""
        self._each(deliveries, lambda number: self._write(number, deliveries[number]))
        self._failpoint("written")
        self._sync(lambda file: [(file.workshop.fd, file.temporary)] if file.temporary else [])
        self._failpoint("synced")
        self._each(deliveries, self._verify)
        self._rename_all(sorted(self._files, key=lambda number: deliveries[number].request.requested_at))
        self._failpoint("renamed")
        self._sync(lambda file: [(file.folder.fd, "."), (file.workshop.fd, ".")])
        self._failpoint("settled")
        return {number: self._failed.get(number) or self._receipt(number) for number in deliveries}

    def _each(self, numbers: Iterable[int], step: Callable[[int], None]) -> None:
        for number in numbers:
            if number not in self._failed:
                try:
                    step(number)
                except ReportbusError as error:
                    self._fail(number, error)

    def _fail(self, number: int, error: ReportbusError) -> None:
        self._failed[number] = error
        for file in self._files.get(number, ()):
            file.discard()

    def _write(self, number: int, delivery: Delivery) -> None:
        names = _final_names(delivery)
        for name in names:
            if not is_plain_name(name) or self._names.owner(name) is not None:
                raise Permanent("SEC_PATH", f"{quoted(name)} cannot be the name of a delivered file")
        folder = self._tree.folder(delivery.target.path)
        workshop = (
            self._tree.folder(self._options.temporary_folder) if self._options.temporary_folder else folder
        )
        sync = self._sync_of(folder)
        self._marks.setdefault(sync, sync.mark())
        self._leftovers.clear(workshop, delivery.delivery_id, broken_off=delivery.possible_duplicate)
        files = self._files[number] = []
        for artifact, name in zip(delivery.artifacts, names, strict=True):
            file = FolderFile(artifact, delivery.request.requested_at, folder, name, workshop, sync)
            files.append(file)
            if file.stands():
                file.repeated = True
            else:
                file.copy(delivery, self._names.new(delivery.delivery_id))

    def _sync_of(self, folder: OpenFolder) -> FileSync:
        sync = self._sync_by_folder.get(folder.fd)
        if sync is None:
            try:
                sync = self._sync_by_folder[folder.fd] = self._syncs.of(folder.fd)
            except OSError as error:
                raise folder_error(error, f"opening {folder.path} to sync it") from error
        return sync

    def _verify(self, number: int) -> None:
        for file in self._files[number]:
            if file.temporary:
                file.verify(read_back=self._options.verify == "hash")

    def _rename_all(self, numbers: Sequence[int]) -> None:
        """Rename those that are ready, older requests first: the newer one's file stays."""
        by_folder: dict[int, list[int]] = {}
        for number in numbers:
            if number not in self._failed:
                by_folder.setdefault(self._files[number][0].folder.fd, []).append(number)
        for together in by_folder.values():
            with alone(self._files[together[0]][0].folder):
                self._each(together, self._rename)

    def _rename(self, number: int) -> None:
        for file in self._files[number]:
            if file.temporary:
                file.rename(replace=self._options.replace)

    def _sync(self, places: Callable[[FolderFile], list[Place]]) -> None:
        """Make the files that are still on their way durable, also those an earlier attempt brought there."""
        for sync, mark in self._marks.items():
            mine = {
                number: files
                for number, files in self._files.items()
                if number not in self._failed and files[0].sync is sync
            }
            if not mine:
                continue
            made = ((self._tree.root.fd, path) for path in self._tree.made_in)
            theirs = (place for files in mine.values() for file in files for place in places(file))
            try:
                sync.sync(mark, chain(made, theirs))
            except OSError as error:
                for number in mine:
                    self._fail(number, folder_error(error, f"syncing {self._tree.root.path}"))

    def _receipt(self, number: int) -> Receipt:
        files = self._files[number]
        return Receipt(
            location=", ".join(file.path for file in files),
            verified="superseded" if all(file.superseded for file in files) else self._options.verify,
            size=sum(file.artifact.size for file in files),
            sha256=files[0].artifact.sha256 if len(files) == 1 else "",
            repeated=all(file.repeated for file in files),
        )


def _final_names(delivery: Delivery) -> list[str]:
    """The final name of each artifact: the target's, or where there are several their own."""
    if len(delivery.artifacts) == 1 and delivery.target.file_name:
        names = [delivery.target.file_name]
    else:
        names = [artifact.file_name for artifact in delivery.artifacts]
    if not names:
        raise Permanent("STG_MISSING", "there is no file to deliver")
    if len(set(names)) < len(names):
        raise Permanent(
            "CFG_NAME_COLLISION", f"two files of one delivery have the same name: {sorted(names)}"
        )
    return names
