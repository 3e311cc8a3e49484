from __future__ import annotations

import hashlib
from contextlib import chdir
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
import yaml

from reportbus.adapters.destinations.folder import FolderDestination, FolderOptions
from reportbus.entry.cli.context import Failure, Misconfigured
from reportbus.entry.demo.home import Home, opened_home, write_config
from reportbus.entry.demo.partner import Partner

if TYPE_CHECKING:
    from pathlib import Path


def opened(path: Path) -> Home:
    """The home at `path`, opened and left again."""
    with opened_home({"REPORTBUS_HOME": str(path)}) as home:
        return home


def test_the_home_is_in_the_working_directory_unless_the_environment_names_one(tmp_path: Path) -> None:
    with chdir(tmp_path), opened_home({}) as home:
        assert tmp_path / "reportbus-data" / "demo" == home.path
    assert tmp_path / "elsewhere" == opened(tmp_path / "elsewhere").path


def test_a_home_can_be_opened_again_and_an_empty_folder_can_become_one(tmp_path: Path) -> None:
    assert opened(tmp_path) == opened(tmp_path)


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    with pytest.raises(Misconfigured, match="holds something else than a demo"):
        opened(tmp_path)
    assert ["ledger.db"] == [path.name for path in tmp_path.iterdir()]


def test_two_demos_do_not_share_a_home(tmp_path: Path) -> None:
    opened(tmp_path)
    with opened_home({"REPORTBUS_HOME": str(tmp_path)}), pytest.raises(Failure, match="another demo runs in"):
        opened(tmp_path)


def test_the_configuration_names_the_home_whatever_signs_its_path_has(tmp_path: Path) -> None:
    home = opened(tmp_path / 'a "home" {of} mine')
    write_config(home, "limits")
    script = yaml.safe_load((home.config / "reports" / "route_map.yaml").read_text())
    assert [f"{home.path}/data"] == script["reads"]
    engines = yaml.safe_load((home.config / "engines.yaml").read_text())
    assert "limits" == engines["engines"]["python"]["scripts"]["isolation"]


def test_the_configuration_is_written_anew_and_what_stands_beside_it_stays(tmp_path: Path) -> None:
    home = opened(tmp_path)
    write_config(home, "auto")
    mine, changed = home.config / "reports" / "mine.yaml", home.config / "engines.yaml"
    mine.write_text("name: mine")
    expected = changed.read_text()
    changed.write_text("engines: {}")
    write_config(home, "auto")
    assert ("name: mine", expected) == (mine.read_text(), changed.read_text())


def test_the_script_is_the_one_whose_hash_is_registered() -> None:
    config = files("reportbus.entry.demo") / "config"
    found = hashlib.sha256((config / "scripts" / "route_map.py").read_bytes()).hexdigest()
    assert found == yaml.safe_load((config / "reports" / "route_map.yaml").read_text())["sha256"]


@pytest.fixture
def partner(tmp_path: Path) -> Partner:
    """The partner's folder, with a file in it."""
    root = tmp_path / "partner"
    (root / "incoming").mkdir(parents=True)
    (root / "incoming" / "old").touch()
    return Partner(root, FolderDestination(FolderOptions(str(root))))


def test_the_partner_is_broken_while_its_folder_is_away_and_has_everything_again_afterwards(
    partner: Partner,
) -> None:
    assert partner.test().ok
    partner.take_away()
    assert "DST_ROOT_MISSING" in partner.test().text
    partner.bring_back()
    assert partner.test().ok
    assert (partner.root / "incoming" / "old").exists()


def test_what_came_while_the_folder_was_away_is_kept_too(partner: Partner) -> None:
    """A demo was killed, and a line that somebody started on its home made the folder anew."""
    partner.take_away()
    (partner.root / "incoming").mkdir(parents=True)
    (partner.root / "incoming" / "new").touch()
    partner.take_away()
    assert not partner.root.exists()
    partner.bring_back()
    partner.bring_back()
    assert ["new", "old"] == sorted(path.name for path in (partner.root / "incoming").iterdir())
    assert ["partner"] == [path.name for path in partner.root.parent.iterdir()]
