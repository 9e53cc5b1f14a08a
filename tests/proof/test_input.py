"""A script that asks its user something is told that nobody answers, whatever way it asks."""

from __future__ import annotations

import pytest

from tests.proof.conftest import SCRIPT, Check

ASKS = {
    "by input": "input('Name of the run: ')",
    "by input, several times": "for _ in range(3):\n    try:\n        input()\n"
    "    except EOFError:\n        pass\ninput()",
    "for a password": "import getpass\ngetpass.getpass()",
}


@pytest.mark.parametrize("how", ASKS)
def test_nobody_answers(check: Check, how: str) -> None:
    asks = f"{ASKS[how]}\n{SCRIPT}"

    verdict = check(asks, asks)

    assert verdict.status == "error"
    assert "EOFError" in verdict.messages[-1]
    assert "it asks for input" in verdict.messages[-1]


def test_what_is_asked_in_vain_is_gone_without(check: Check) -> None:
    asks = "import getpass, sys\nsys.stdin.read()\ntry:\n    getpass.getpass()\n"
    asks += f"except EOFError:\n    pass\n{SCRIPT}"

    verdict = check(asks, asks)

    assert verdict.status == "match", verdict.messages
