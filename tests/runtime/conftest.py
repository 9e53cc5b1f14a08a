"""Tests of `ort_module` start from the same seed and with no notes of earlier runs."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _seeded(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not request.path.name.startswith("test_module"):
        return
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    monkeypatch.setenv("ORTWRAP_CACHE", str(tmp_path / "cache"))
