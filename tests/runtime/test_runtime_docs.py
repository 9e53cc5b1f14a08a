"""Every test that docs/runtime.md names for a row exists."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_the_rows_name_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (HERE.parents[1] / "docs" / "runtime.md").read_text()))
    written = {
        name
        for path in HERE.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(named) > 60
    assert not named - written
