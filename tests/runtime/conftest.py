"""Every test starts from the same seed, whatever ran before it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
