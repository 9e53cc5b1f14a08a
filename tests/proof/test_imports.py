"""The recorder learns of an import when it happens, and only then."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from ortwrap.proof.recorder.imports import when_imported


@pytest.fixture(autouse=True)
def own_finders(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put in front of the finders goes again."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))


def test_a_module_that_is_looked_for_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "looked_for.py").write_text("value = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[int] = []
    when_imported({"looked_for": lambda: seen.append(sys.modules["looked_for"].value)})

    # As datasets and transformers ask whether torch is installed.
    assert importlib.util.find_spec("looked_for") is not None
    assert importlib.util.find_spec("looked_for") is not None
    assert seen == []
    importlib.import_module("looked_for")
    assert seen == [1]
    monkeypatch.delitem(sys.modules, "looked_for")


def test_a_module_that_is_not_there() -> None:
    when_imported({"nowhere_at_all": lambda: pytest.fail("it was not imported")})

    assert importlib.util.find_spec("nowhere_at_all") is None
    with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
        importlib.import_module("nowhere_at_all")


def test_a_module_that_is_there_already() -> None:
    seen: list[str] = []

    when_imported({"json": lambda: seen.append("json")})

    assert seen == ["json"]
