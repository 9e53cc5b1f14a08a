"""What kills a process under ORTModule gives what eager gives, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")


@pytest.mark.parametrize("script", ["deadly_batches.py", "deadly_graphs.py"])
def test_nothing_kills_the_process(script: str, tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", HERE / script],
        env={**environment, "ORTWRAP_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith("alive\n")
