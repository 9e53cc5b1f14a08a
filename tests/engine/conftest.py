"""The marker of the tests that need onnxruntime's ORTModule: `-m 'not ort'` leaves them out."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "ort: trains under the real ORTModule, a minute or more")
