"""What holds for every test that runs beside another one, as those of `make test` do."""

from __future__ import annotations

import os

# Read when torch is imported, here and in the processes that tests start: a second thread would
# only spin while it waits for the processor that another worker has.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
