"""The values that verify hands on: gaps, tolerances, JSON, rendering."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

from ortwrap.proof.distributions import distributions, paired_p_value
from ortwrap.proof.gaps import gaps
from ortwrap.proof.patched import Patched, wrapper_classes
from ortwrap.proof.printed import PrintedLosses, losses_in
from ortwrap.proof.recording import Recording, warm_up
from ortwrap.proof.render import line, table
from ortwrap.proof.runner import Ended
from ortwrap.proof.sentences import plain_line
from ortwrap.proof.tolerance import Tolerances
from ortwrap.proof.trial import Trial
from ortwrap.proof.verdict import Difference, Execution, Side, Verdict
from ortwrap.proof.verification import Verification

RECORDING = Recording(
    rank=0,
    steps_by="optimizer",
    losses=(1.0, math.nan),
    loss_dtypes=("torch.float32",) * 2,
    loss_steps=(0, 1),
    loss_on_ort=(True, True),
    loss_in_graph=(True, True),
    step_seconds=(0.5, 0.1),
    grad_norms=((0, torch.tensor([1.0, -1.0])),) * 2,
    learning_rates=((0.1,),) * 2,
    checksums=(torch.zeros(2, 2, dtype=torch.float64),) * 2,
    dice=((1, 2, 3),) * 2,
    dropout_calls=(),
    in_evaluation=([], []),
    trained={"0/0": torch.ones(3), "0/1": torch.zeros(0)},
    names={"0/0": "Net.weight", "0/1": "Net.empty"},
    frozen={"Net.frozen": torch.tensor([math.nan, math.inf])},
    buffers={"Net.count": torch.tensor(3)},
    other_parameters={"Net (not trained).weight": torch.ones(2)},
    other_buffers={},
    remembered={"0/0/exp_avg": torch.tensor([1.0, -2.0])},
    settings={"0/0/lr": 0.1},
    peak_memory=2**30,
    threads=2,
    compiled_frames=0,
    exception=None,
)


def over(**changes: object) -> list[tuple[str, str]]:
    changed = dataclasses.replace(RECORDING, **changes)  # type: ignore[arg-type]
    return [(g.kind, g.name) for g in gaps(RECORDING, changed, Tolerances()) if g.over]


def test_losses_of_optimizers_that_take_turns_are_told_apart() -> None:
    norms = torch.ones(1)
    adversaries = dataclasses.replace(
        RECORDING,
        step_seconds=(0.1,) * 4,
        grad_norms=((0, norms), (1, norms)) * 2,
        loss_steps=(0, 0, 1, 2, 2, 3),
    )

    assert adversaries.loss_kinds == (0, 1, 2, 0, 1, 2)
    assert RECORDING.loss_kinds == ()


def test_nan_equals_nan_and_inf_equals_inf() -> None:
    assert over() == []


def test_what_is_over() -> None:
    assert over(losses=(1.001, math.nan)) == [("loss", "")]
    assert over(losses=(1.0, 2.0)) == [("loss", "")]
    assert over(losses=(1.0,)) == [("backwards", "")]
    assert over(buffers={"Net.count": torch.tensor(2)}) == [("buffer", "Net.count")]
    assert over(in_evaluation=([], ["Net.dropout"])) == [("mode", "Net.dropout")]
    averages = {"Net (not trained).weight": torch.zeros(2)}
    assert over(other_parameters=averages) == [("parameter", "Net (not trained).weight")]
    # One side holds another number of copies: they are no twins.
    assert over(other_parameters={"Net (not trained, 1 of 2).weight": torch.zeros(2)}) == []
    assert over(buffers={}) == [("buffer", "Net.count")]
    assert over(frozen={"Net.frozen": torch.tensor([0.0, math.inf])}) == [
        ("parameter", "Net.frozen")
    ]
    trained = {"0/0": torch.tensor([1.0, 1.0, 1.01]), "0/1": torch.zeros(0)}
    assert over(trained=trained) == [("parameter", "Net.weight")]


def test_no_gradient_is_a_gradient_of_zeros() -> None:
    assert over(grad_norms=((0, torch.tensor([1.0, 0.0])),) * 2) == []


def test_the_coarser_type_decides() -> None:
    half = {"0/0": torch.tensor([1.0, 1.0, 1.005]).half(), "0/1": torch.zeros(0)}
    assert over(trained=half) == []


def test_warm_up_leaves_the_first_step_out() -> None:
    assert [warm_up(steps) for steps in (1, 4, 8, 20, 1000)] == [1, 1, 2, 5, 5]
    assert RECORDING.ms_per_step == 100


def test_wrapper_classes_are_read_from_the_patched_text() -> None:
    text = """
class A(nn.Module): pass
class B(nn.Module): pass
class C(nn.Module): pass
a = ort_module(A, model)
b = ort.ORTModule(B(model), options)
c = ORTModule(model)
"""
    assert wrapper_classes(text, "x.py") == ("A", "B")


MISMATCH = Verdict(
    status="mismatch",
    script="train.py",
    steps=20,
    max_loss_diff=math.inf,
    first_difference=Difference("loss", "", 3, 1.0, math.nan, math.inf, "[bold]why[/]"),
    execution=Execution(ran_on="mixed", reasons=("no [kernel]",)),
    original=Side(ms_per_step=2.0),
    patched=Side(ms_per_step=1.0),
)


def test_json_is_strict_and_has_what_other_tools_read() -> None:
    content = json.loads(json.dumps(MISMATCH.to_json(), allow_nan=False))

    assert content["status"] == "mismatch"
    assert content["max_loss_diff"] is None
    assert content["ms_per_step"] == {"original": 2.0, "patched": 1.0, "ratio": 2.0}
    assert content["ran_on"] == "mixed"
    assert content["first_difference"]["step"] == 3
    for name in ("max_param_diff", "max_buffer_diff", "loss_in_graph", "label_sparsity",
                 "label_density", "reasons", "tolerances", "messages"):  # fmt: skip
        assert name in content


def test_rendering_keeps_what_looks_like_markup() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(table(MISMATCH))
    console.print(line(MISMATCH))
    text = console.export_text()

    assert "no [kernel]" in text
    assert "[bold]why[/]" in text
    assert plain_line(MISMATCH).startswith("mismatch: loss at step 3: 1 became nan")


def test_students_distribution() -> None:
    # From the tables: 95 % within 2.776 of 4 degrees of freedom, 99 % within 4.032 of 5.
    four, five = [0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    spread, more = math.sqrt(2.5), math.sqrt(3.5)
    at = [2.776 * spread / math.sqrt(5) - 2 + x for x in four]
    assert paired_p_value([0.0] * 5, at) == pytest.approx(0.05, rel=1e-3)
    at = [4.032 * more / math.sqrt(6) - 2.5 + x for x in five]
    assert paired_p_value([0.0] * 6, at) == pytest.approx(0.01, rel=1e-3)
    assert paired_p_value([1.0, 2.0], [1.0, 2.0]) == 1.0
    assert paired_p_value([1.0, 2.0], [2.0, 3.0]) == 0.0


def test_distributions_apart() -> None:
    losses = [(2.0, 1.5), (2.2, 1.6), (1.9, 1.4), (2.1, 1.5)]
    runs = [dataclasses.replace(RECORDING, losses=pair) for pair in losses]
    lower = [dataclasses.replace(run, losses=tuple(0.9 * x for x in run.losses)) for run in runs]

    assert [each.apart for each in distributions(runs, runs)] == [False] * 3
    assert [each.apart for each in distributions(runs, lower)] == [True, True, False]


PRINTED = {
    "Test set: Average loss: 0.3417, Accuracy: 9/10":
        [("Average loss", 0.3417, 1e-4), ("Accuracy", 9, 1)],
    "Test Accuracy of the model on the 10000 test images: 97.0 %": [("Test Accuracy", 97, 0.1)],
    " * Acc@1 75.300 Acc@5 92.1": [("Acc@1", 75.3, 1e-3), ("Acc@5", 92.1, 0.1)],
    "Loss: 2.315 | Acc: 10.000% (13/128)": [("Loss", 2.315, 1e-3), ("Acc", 10, 1e-3)],
    "2026-11-24 18:03:16 INFO loss 0.5": [("INFO loss", 0.5, 0.1)],
    "account 12 iterations, accumulated 3, topic 1": [],
    "| epoch   1 |   200/ 2983 batches | lr 20.00 | ms/batch 10 | loss  7.63 | ppl  2066.20":
        [("loss", 7.63, 1e-2), ("ppl", 2066.2, 1e-2)],
    "Epoch [1/5], Step [100/600], Loss: 2.3": [("Loss", 2.3, 1e-1)],
    "val_loss=1.5e-3": [("val_loss", 1.5e-3, 1e-4)],
    "train loss is 3": [("train loss", 3.0, 1.0)],
    "loss function of 3/4 batches; lossless 2": [],
    "{'eval_loss': 0.25}": [("eval_loss", 0.25, 1e-2)],
}  # fmt: skip


@pytest.mark.parametrize("line", PRINTED)
def test_losses_in_what_is_printed(line: str) -> None:
    found = [(each.label, each.value, each.resolution) for each in losses_in(line)]

    assert [(label, value) for label, value, _ in found] == [each[:2] for each in PRINTED[line]]
    assert [x[2] for x in found] == pytest.approx([x[2] for x in PRINTED[line]])


def test_losses_in_output_that_comes_in_pieces() -> None:
    losses = PrintedLosses()
    for piece in (b"step 1 lo", b"ss 0.5\nstep 2 loss 0.25\n", b"x" * 3000, b"loss 9\n", b"loss 1"):
        losses.feed(piece)

    assert [each.value for each in losses.all()] == [0.5, 0.25, 1.0]


def test_of_a_progress_bar_only_what_it_ends_with_counts() -> None:
    losses = PrintedLosses()
    bar = b"".join(b"\r%3d%%|###| 1.0s, loss=%.3f" % (n, n / 100) for n in range(101))
    for start in range(0, len(bar), 7):
        losses.feed(bar[start : start + 7])

    assert losses.all() == ()  # it may be stopped anywhere

    losses.feed(b"\r\n\x1b[1mloss\x1b[0m: 2\n")
    assert [each.value for each in losses.all()] == [1.0, 2.0]


def test_a_patched_script_that_is_too_slow_proves_nothing() -> None:
    verification = Verification(SimpleNamespace(steps=2), Verdict("error", "train.py"))
    done = Trial(Ended(0, False, "", 1.0), (RECORDING,), (), "", None)
    slow = Trial(Ended(-9, True, "", 2.0), (), (), "", "took longer than 2 s")
    twin = Patched(b"", ())
    verification.__dict__["original"] = done  # as if it had been run
    verification._patched[twin] = slow

    verdict = verification.of(twin)

    assert (verdict.status, verdict.first_difference) == ("error", None)
    assert "the patched script took longer than 2 s" in verdict.messages[-1]
    assert "--timeout" in verdict.messages[-1]


def test_of_a_long_line_only_what_is_near_the_number_is_repeated() -> None:
    (found,) = losses_in(f"{'before ' * 40}validation loss 1.25 {'after ' * 40}")

    assert found.line.startswith("... ")
    assert found.line.endswith(" ...")
    assert "validation loss 1.25 after" in found.line
    assert len(found.line) < 150
    assert next(losses_in("epoch 3: loss 1.25")).line == "epoch 3: loss 1.25"
