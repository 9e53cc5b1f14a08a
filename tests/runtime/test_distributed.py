"""A model in DistributedDataParallel trains on ONNX Runtime as it does eagerly, on every rank."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")


def test_two_ranks_train_as_eagerly(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])}
    ranks = [
        subprocess.Popen(
            [sys.executable, HERE / "two_ranks.py", str(rank), tmp_path / "store"],
            env={**environment, "ORTWRAP_CACHE": str(tmp_path / f"cache{rank}")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    texts = [process.communicate()[0] for process in ranks]
    for process, text in zip(ranks, texts):
        assert process.returncode == 0, text
        assert text.endswith("done\n")
