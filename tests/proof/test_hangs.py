"""A patched script that hangs where the original does not is ended without being asked to."""

from __future__ import annotations

import pytest

from ortwrap.proof import verification
from tests.proof.conftest import SCRIPT, Check, replaced


def test_a_hang_on_the_patched_side_only(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_LEAST_SECONDS", 1.0)
    monkeypatch.setattr(verification, "_TIMES_AS_LONG", 2)
    hangs = replaced(SCRIPT, "loss.backward()", "__import__('time').sleep(600)")

    verdict = check(SCRIPT, hangs)

    assert verdict.status == "error"
    assert "the patched script took longer than" in verdict.messages[-1]
    assert "the original did not; try a longer --timeout" in verdict.messages[-1]
