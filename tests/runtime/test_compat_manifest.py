"""Files added beside installed ones, and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ortwrap.runtime.compat.manifest import (
    MANIFEST_NAME,
    Manifest,
    add_files,
    remove_added_files,
    replacing,
)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    binary = tmp_path / "cache" / "extension.so"
    binary.parent.mkdir()
    binary.write_bytes(b"new binary")
    return binary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    installed = tmp_path / "installed"
    installed.mkdir()
    (installed / "module.py").write_text("installed by pip\n")
    return installed


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_was_added_is_taken_back(folder: Path, built: Path) -> None:
    before = contents(folder)
    add_files(folder, [built], "key", in_the_way=[])
    assert (folder / "extension.so").read_bytes() == b"new binary"
    assert remove_added_files(folder) == (folder / "extension.so",)
    assert contents(folder) == before


def test_what_was_in_the_way_comes_back(folder: Path, built: Path) -> None:
    (folder / "extension.so").write_bytes(b"built by somebody else")
    before = contents(folder)
    add_files(folder, [built], "key", in_the_way=[folder / "extension.so"])
    assert (folder / "extension.so").read_bytes() == b"new binary"
    remove_added_files(folder)
    assert contents(folder) == before


def test_a_file_that_was_changed_since_stays(folder: Path, built: Path) -> None:
    add_files(folder, [built], "key", in_the_way=[])
    (folder / "extension.so").write_bytes(b"built anew by the user")
    assert remove_added_files(folder) == ()
    assert (folder / "extension.so").read_bytes() == b"built anew by the user"
    assert not (folder / MANIFEST_NAME).exists()


def test_a_manifest_without_its_files_is_no_obstacle(folder: Path, built: Path) -> None:
    """As a process leaves it that dies between writing the manifest and copying."""
    before = contents(folder)
    Manifest("key", {"extension.so": "digest"}, aside=("extension.so",)).write(folder)
    assert remove_added_files(folder) == ()
    assert contents(folder) == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": "k"}', '{"key": 1, "added": 2}'])
def test_a_damaged_manifest_counts_as_none(folder: Path, text: str) -> None:
    (folder / MANIFEST_NAME).write_text(text)
    assert Manifest.read(folder) is None


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(folder: Path) -> None:
    def fail() -> None:
        with replacing(folder / "module.py") as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    before = contents(folder)
    with pytest.raises(OSError, match="disk full"):
        fail()
    assert contents(folder) == before
