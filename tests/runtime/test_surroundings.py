"""The rest of a script's process stays as it was, though ONNX Runtime has been imported into it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TRAINING = """\
import torch
from torch import nn
from ortwrap.runtime import ort_module, report


class ModuleWithLoss(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        return nn.functional.mse_loss(self.model(x), y)


step = ort_module(ModuleWithLoss, nn.Linear(4, 1))
for i in range(3):
    step(torch.randn(8, 4), torch.randn(8, 1)).backward()
"""
LOGGING = """\
import logging
logger = logging.getLogger("train")
logger.addHandler(logging.StreamHandler())
logger.setLevel(logging.INFO)
TRAINING
logger.info("once")
logging.basicConfig(format="as configured: %(message)s")
logging.warning("by the root logger")
assert report.of_process()["wrappers"][0]["signatures"][0]["ort_calls"] == 2
"""
SHADOWED = "TRAINING\nprint(report.of_process()['wrappers'][0]['signatures'][0]['reason'])\n"


def test_what_a_script_logs_is_not_printed_twice(tmp_path: Path) -> None:
    done = _run(tmp_path, LOGGING)
    assert done.stderr.splitlines() == ["once", "as configured: by the root logger"]


def test_a_folder_that_hides_protobuf_leaves_training_to_eager(tmp_path: Path) -> None:
    (tmp_path / "google").mkdir()
    (tmp_path / "google" / "__init__.py").write_text("", encoding="utf-8")
    done = _run(tmp_path, SHADOWED)
    assert "google.protobuf" in done.stdout, done.stdout + done.stderr
    assert done.stderr.count("runs eagerly") == 1, done.stderr


def _run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    script = folder / "train.py"
    script.write_text(text.replace("TRAINING", TRAINING), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done
