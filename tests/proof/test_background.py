"""A script that makes a daemon of itself is compared by what its daemon trains."""

from __future__ import annotations

import pytest

from tests.proof.conftest import AS_ITS_USER, SCRIPT, Check, replaced

LEAVE = """\
import os, sys
if os.fork():
    os._exit(0)
os.setsid()
"""
BECOMES_A_DAEMON = {
    "before it imports torch": LEAVE + SCRIPT,
    "before it trains": replaced(
        SCRIPT, "for epoch in range(3):", f"{LEAVE}for epoch in range(3):"
    ),
}


@pytest.mark.parametrize("when", BECOMES_A_DAEMON)
def test_a_daemon_is_waited_for(check: Check, when: str) -> None:
    daemon = BECOMES_A_DAEMON[when]

    verdict = check(daemon, replaced(daemon, "weight *= 0.5", "pass"), **AS_ITS_USER)

    assert (verdict.status, verdict.steps, verdict.backwards) == ("mismatch", 10, 10)
    assert verdict.first_difference is not None
    assert (verdict.first_difference.what, verdict.first_difference.step) == ("loss", 8)


def test_a_helper_that_stays_is_not(check: Check) -> None:
    helper = "import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(600)\n" + SCRIPT

    assert check(helper, helper, **AS_ITS_USER).status == "match"
