"""Whether a machine is busy is read off what its processors do, not off the minute before."""

from __future__ import annotations

import sys
import time

import pytest

from ortwrap.proof import environment


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_the_work_of_processors_is_counted() -> None:
    before = environment._seconds_worked()
    start = time.process_time()
    while time.process_time() - start < 0.3:
        pass
    after = environment._seconds_worked()
    assert before is not None
    assert after is not None
    assert after - before > 0.2
