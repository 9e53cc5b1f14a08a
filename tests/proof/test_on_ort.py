"""Scripts that the engine rewrites, run on the real ORTModule."""

from __future__ import annotations

from pathlib import Path

import pytest

from ortwrap.engine.options import Options
from ortwrap.proof.patched import Patched, patched_script
from ortwrap.proof.trial import Setting, found_launcher
from ortwrap.proof.verdict import Verdict
from ortwrap.proof.verification import Verification
from ortwrap.proof.verify import verify
from tests.proof.conftest import SCRIPT as WITH_BATCHNORM
from tests.proof.conftest import Check, replaced

pytest.importorskip("onnxruntime")

SCRIPT = replaced(WITH_BATCHNORM, "BatchNorm1d", "LayerNorm")
HAND = replaced(
    replaced(
        SCRIPT,
        "data = Tensor",
        """\
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y, t, weight):
        logits, value = self.model(x)
        return self.criterion(logits, y) + weight * ((value - t) ** 2).mean()


data = Tensor""",
    ),
    """\
        logits, value = model(x)
        loss = criterion(logits, y) + weight * ((value - t) ** 2).mean()
""",
    "        loss = ort_module(ModuleWithLoss, model, criterion)(x, y, t, weight)\n",
)


def test_a_rewritten_script_matches_on_ort(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT, encoding="utf-8")

    verdict = verify(script, steps=20, cwd=tmp_path)

    assert verdict.status == "match", (verdict.messages, verdict.output)
    assert verdict.execution.ran_on == "ort", verdict.execution.reasons
    assert verdict.execution.loss_in_graph is True
    assert verdict.steps == 20
    assert verdict.max_loss_diff is not None
    assert verdict.max_loss_diff < 1e-5


def test_a_fault_on_ort_is_caught(check: Check) -> None:
    wrong = replaced(HAND, "((value - t) ** 2).mean()\n\n", "((value - t) ** 2).sum()\n\n")

    verdict = check(SCRIPT, wrong, steps=5)

    assert verdict.status == "mismatch"
    assert verdict.execution.ran_on == "ort"
    assert verdict.first_difference is not None
    assert verdict.first_difference.step == 1


def test_what_fell_back_is_a_match_that_did_not_run_on_ort(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORTWRAP_BACKEND", "eager")

    verdict = check(SCRIPT, HAND, steps=5)

    assert verdict.status == "match"
    assert verdict.execution.ran_on == "eager"
    assert "ORTWRAP_BACKEND=eager" in verdict.execution.reasons[0]
    assert verdict.execution.loss_in_graph is False


def test_a_single_step_says_why_it_ran_eagerly(check: Check) -> None:
    verdict = check(SCRIPT, HAND, steps=1)

    assert verdict.status == "match"
    assert verdict.execution.ran_on == "eager"
    assert "no second one came: more --steps" in verdict.execution.reasons[0]


def test_nothing_rewritten_is_an_error_with_the_reasons(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(replaced(SCRIPT, "loss.backward()", "loss.backward(create_graph=True)"))

    verdict = verify(script, cwd=tmp_path)

    assert verdict.status == "error"
    assert "line 29" in verdict.messages[-1]
    assert "OW" in verdict.messages[-1]


def test_a_step_that_is_left_as_it_is_is_named_by_its_file(tmp_path: Path) -> None:
    script, step = tmp_path / "train.py", tmp_path / "step.py"
    script.write_text("import torch, step\n")
    step.write_text("import torch\n\ndef train(model, x):\n"
                    "    model(x).sum().backward(create_graph=True)\n")  # fmt: skip

    verdict = verify(script, also=[step], cwd=tmp_path)

    assert "step.py, line 4: OW" in verdict.messages[-1]


def test_a_syntax_error_is_named_by_its_line(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("import torch\nloss.backward(\n")

    verdict = verify(script, cwd=tmp_path)

    assert verdict.status == "error"
    assert f"{script}:2" in verdict.messages[-1]


def test_two_processes_under_torchrun_average_their_gradients(tmp_path: Path) -> None:
    sample = Path(__file__).parents[2] / "samples" / "data_parallel.py"
    setting = Setting(
        script=sample,
        args=(),
        cwd=sample.parent,
        steps=4,
        seed=0,
        keep_dropout=False,
        transparent=("ModuleWithLoss",),
        # Standalone, it takes a port that is free.
        launcher=found_launcher(("torchrun", "--standalone", "--nproc_per_node", "2")),
        timeout=None,
        workspace=tmp_path,
    )
    blank = Verdict(status="error", script=str(sample))
    verification = Verification(setting, blank, ask_other_seed="never")
    twin = patched_script(sample, None, Options())

    verdict = verification.of(twin)
    fault = verification.of(Patched(_not_averaged(twin.source), twin.classes))

    assert verdict.status == "match", (verdict.messages, verdict.output)
    assert (fault.status, fault.processes) == ("mismatch", 2), fault.output
    assert fault.first_difference is not None
    assert fault.first_difference.what == "gradient"
    assert fault.first_difference.step == 1
    assert (verdict.processes, verdict.steps) == (2, 4)
    # Both ranks tell what ran.
    assert sum(row.calls for row in verdict.execution.wrappers) == 2 * 4
    if verdict.execution.ran_on == "eager":
        assert verdict.execution.reasons
    else:
        assert verdict.execution.ran_on == "ort", verdict.execution.reasons
        assert verdict.execution.loss_in_graph is True


def _not_averaged(source: bytes) -> bytes:
    """Each rank goes its own way, as where a wrapper takes the model out of DDP."""
    wrapped, alone = b"model = DDP(Tagger(args.hidden_size))", b"model = Tagger(args.hidden_size)"
    assert wrapped in source
    return source.replace(wrapped, alone)


def test_a_step_in_a_file_that_the_script_imports(
    tmp_path: Path, launcher: tuple[str, ...]
) -> None:
    head, tail = SCRIPT.split("weight = 0.5\n")
    step = tail.replace("for epoch in range(3)", "    for epoch in range(3)", 1)
    step = step.replace("\n    ", "\n        ")
    trainer = tmp_path / "lib" / "trainer.py"
    trainer.parent.mkdir()
    trainer.write_text(
        f"import torch\n\n\ndef train(model, loader, optimizer, criterion, weight=0.5):\n{step}"
    )
    script = tmp_path / "train.py"
    script.write_text(
        f"from lib.trainer import train\n{head}train(model, loader, optimizer, criterion)\n"
    )
    written = trainer.read_bytes()

    alone = verify(script, cwd=tmp_path)
    verdict = verify(script, also=[trainer], steps=6, cwd=tmp_path, launcher=launcher)
    elsewhere = verify(script, also=[Path(__file__)], cwd=tmp_path)

    assert alone.status == elsewhere.status == "error"
    assert "--also" in alone.messages[-1]
    assert "no copy of it runs" in elsewhere.messages[-1]
    assert verdict.status == "match", (verdict.messages, verdict.output)
    assert verdict.execution.ran_on == "ort", verdict.execution.reasons
    assert trainer.read_bytes() == written
