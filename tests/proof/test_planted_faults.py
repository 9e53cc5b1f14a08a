"""Every fault planted in the patched side is caught, and the report points at it."""

from __future__ import annotations

import re
from typing import Callable

import pytest

from ortwrap.proof.verdict import Verdict
from tests.proof.conftest import BY_HAND, SCRIPT, replaced
from tests.proof.originals import (
    ADVERSARIES,
    CAST,
    DROPPING,
    PHASES,
    RECURRENT,
    SHARED,
    TAGGER,
    TAUGHT,
)

Against = Callable[[str, str], Verdict]

WITH_START = replaced(
    SCRIPT,
    "for epoch in range(3):",
    "import copy\nstart = copy.deepcopy(model.state_dict())\nfor epoch in range(3):",
)
LOSS = "criterion(logits, y) + weight * ((value - t) ** 2).mean()"

# original, what is replaced, what by, what differs first, its name, step, words of the cause
FAULTS = {
    "dropped loss term": (SCRIPT, LOSS, "criterion(logits, y)", "loss", "", 1, "less than"),
    "sum instead of mean": (SCRIPT, LOSS, f"8 * ({LOSS})", "loss", "", 1, "reduction"),
    "detached term": (SCRIPT, "((value - t)", "((value.detach() - t)", "gradient",
                      "Net.aux.weight", 1, "Net.aux.bias any more: .*detached"),
    "detached logits": (SCRIPT, "criterion(logits, y)", "criterion(logits.detach(), y)",
                        "gradient", "Net.head.weight", 1, "Net.head.weight.*detached"),
    "scalar baked in": (SCRIPT, "weight *= 0.5", "pass", "loss", "", 8, "baked"),
    "update without effect": (WITH_START, "optimizer.step()",
                              "optimizer.step(); model.load_state_dict(start)",
                              "loss", "", 2, "from step 1 to step 2 something moves Net"),
    "BatchNorm in eval": (SCRIPT, "logits, value = model(x)",
                          "model.eval(); logits, value = model(x)", "loss", "", 1, "mode"),
    "BatchNorm fed twice": (SCRIPT, "logits, value = model(x)",
                            "model(x); logits, value = model(x)",
                            "buffer", "Net.body.1.running_mean", None, "BatchNorm"),
    "gradients left over": (SCRIPT, "optimizer.zero_grad()", "pass", "gradient",
                            "Net.body.0.weight", 2, "left over"),
    "a parameter moved before": (SCRIPT, "optimizer.step()",
                                 "model.aux.bias.data.add_(1e-2); optimizer.step()",
                                 "loss", "", 2,
                                 "before step 1 something moves Net.aux.bias otherwise"),
    "labels shifted": (TAGGER, "y.view(-1)", "y.roll(1, 1).view(-1)", "loss", "", 1,
                       "labels .*shifted"),
    "wrong ignore_index": (TAGGER, "ignore_index=0", "ignore_index=-100", "loss", "", 1,
                           "ignored by another index"),
    "not divided by the accumulation": (TAGGER, "(loss / 2)", "loss", "loss", "", 1,
                                        "every loss is 2 times"),
    "a micro-batch skipped": (TAGGER, "range(2):", "range(1 if step == 3 else 2):",
                              "backwards", "", 4, "step 4 is made of fewer .*micro-batch"),
    "not clipped": (TAGGER, "model.parameters(), 0.1", "model.parameters(), 1e9", "gradient",
                    "Tagger.embed.weight", 1, "all its gradients are .* clipping"),
    "optimizer over the wrong parameters": (TAGGER, "AdamW(model.parameters()",
                                            "AdamW(model.head.parameters()", "gradient", "", 1,
                                            "does not train Tagger.embed.weight"),
    "a schedule that is not stepped": (TAGGER, "    schedule.step()", "    pass", "setting",
                                       "lr of optimizer 0, group 0", 5, "schedule"),
    "weight decay lost": (TAGGER, "weight_decay=1e-2", "weight_decay=0.2", "loss", "", 2,
                          "weight_decay of optimizer 0, group 0 is 0.2"),
    "evaluated in training mode": (TAGGER, "    model.eval()\n", "    saved = model.norm\n"
                                   "    model.norm = nn.BatchNorm1d(8, track_running_stats=False, "
                                   "affine=False)\n", "printed", "validation loss", None,
                                   "mode of the model in evaluation"),
    "a schedule stepped twice": (TAGGER, "schedule.step()", "schedule.step(); schedule.step()",
                                 "setting", "lr of optimizer 0, group 0", 3, "schedule"),
    "evaluated as it trains": (TAGGER, "    model.eval()\n", "", "buffer",
                               "Tagger.norm.running_mean", None,
                               "29 batches where the original's counts 20"),
    "class weights lost": (SHARED, "weight=torch.arange(1.0, 10.0), ", "", "loss", "", 1,
                           "a term of the loss"),
    "label smoothing lost": (SHARED, ", label_smoothing=0.1", "", "loss", "", 1, "a term"),
    "a detach that is missing": (SHARED, "scale.detach()", "scale", "gradient",
                                 "Coder.scale.weight", 1, "detach is not honoured"),
    "weights not shared any more": (SHARED, "optimizer = torch", "model.head.weight = nn.Parameter("
                                    "model.head.weight.detach().clone())\noptimizer = torch",
                                    "gradient", "", 1, "trains Coder.head.weight"),
    "a buffer that stays": (SHARED, "optimizer.step()",
                            "optimizer.step(); model.seen = torch.zeros(())",
                            "buffer", "Coder.seen", None, "Coder.seen is not updated"),
    "the batch before": (SHARED, "y = data[step % 4], labels[step % 4]",
                         "y = data[step % 4], labels[(step - 1) % 4]", "loss", "", 1, "labels"),
    "labels changed in place": (SHARED, "    optimizer.step()", "    optimizer.step(); y.fill_(3)",
                                "loss", "", 5, "baked|stale"),
    "gradients doubled": (SHARED, "optimizer.step()",
                          "[p.grad.mul_(2) for p in model.parameters() if p.grad is not None]\n"
                          "    optimizer.step()",
                          "gradient", "Coder.embed.weight", 1, "are 2 times"),
    "two backwards for one": (SHARED, "loss.backward()",
                              "loss.backward(retain_graph=True); loss.backward()",
                              "backwards", "", 1, "more backwards"),
    "gradients cleared before the step": (SHARED, "    optimizer.step()",
                                          "    optimizer.zero_grad(); optimizer.step()",
                                          "gradient", "Coder.embed.weight", 1,
                                          "no gradient reaches any parameter"),
    "an optimizer over a copy": (SHARED, "SGD(model.parameters()",
                                 "SGD(__import__('copy').deepcopy(model).parameters()",
                                 "gradient", "Coder.embed.weight", 1, "another copy of the model"),
    "an optimizer that forgets": (SHARED, "    optimizer.zero_grad()",
                                  "    optimizer.zero_grad(); optimizer.state.clear()",
                                  "loss", "", 3, "moves Coder"),
    "noise where there was none": (SHARED, "criterion(logits, y)",
                                   "criterion(logits * (torch.rand_like(logits) > 0.1), y)",
                                   "loss", "", 1, "torch has drawn .* noise"),
    "autocast lost": (CAST, '"cpu", dtype=torch.bfloat16', '"cpu", enabled=False', "loss", "", 1,
                      "before any update"),
    "a step by hand that is too large": (BY_HAND, "-0.1 *", "-0.2 *", "loss", "", 2,
                                         "from step 1 to step 2 something moves Sequential"),
    "a parameter that is not updated by hand": (BY_HAND, "in model.parameters()",
                                                "in list(model.parameters())[:-1]", "loss", "", 2,
                                                "moves Sequential.2.bias otherwise"),
    "a frozen layer trained": (TAUGHT, "student.body[0].requires_grad_(False)", "", "gradient",
                               "Net.body.0.weight", 1, "what is frozen there is trained"),
    "weight decay of the other group": (TAUGHT, '"weight_decay": 0.0}', '"weight_decay": 0.1}',
                                        "loss", "", 3, "weight_decay of optimizer 0, group 1"),
    "other betas": (TAUGHT, "betas=(0.9,", "betas=(0.8,", "loss", "", 3,
                    r"betas\[0\] of optimizer 0, group 0 is 0.8"),
    "BatchNorm with another momentum": (TAUGHT, "teacher.eval()",
                                        "teacher.eval(); student.body[1].momentum = 0.2", "buffer",
                                        "Net.body.1.running_mean", None, "momentum of the layer"),
    "a teacher in training mode": (TAUGHT, "teacher.eval()", "", "loss", "", 1,
                                   "a mode of the model"),
    "an auxiliary term detached": (TAUGHT, "kl_div(output.", "kl_div(output.detach().", "gradient",
                                   "Net.body.1.weight", 1, "a part of the loss is detached"),
    "an average updated twice": (TAUGHT, "kept.lerp_(now, 0.1)",
                                 "kept.lerp_(now, 0.1).lerp_(now, 0.1)", "parameter",
                                 "Net (not trained, 1 of 2).body.1.weight", None, "EMA"),
    "the last batch dropped": (TAUGHT, "shuffle=True", "shuffle=True, drop_last=True", "loss", "",
                               4, "torch has drawn .* a batch is left out"),
    "scaled twice": (TAUGHT, "scaler.scale(loss)", "scaler.scale(scaler.scale(loss))", "loss", "",
                     1, "every loss is 8 times"),
    "weights of other samples": (TAUGHT, "each * weight", "each * weight.flip(0)", "loss", "", 1,
                                 "a term of the loss"),
    "a random number too many": (TAUGHT, "optimizer.zero_grad()",
                                 "optimizer.zero_grad(); torch.rand(1)", "loss", "", 5,
                                 "torch has drawn more or fewer"),
    "a sum in the second function": (PHASES, "(model(x), y)", "(model(x), y, reduction='sum')",
                                     "loss", "", 9, "whose loss is 16 times the original's"),
    "a sum in the second loss": (ADVERSARIES, "fooled = criterion",
                                 "fooled = nn.BCEWithLogitsLoss(reduction='sum')", "loss", "", 2,
                                 "whose loss is 16 times"),
    "one adversary not zeroed": (ADVERSARIES, "of_critic.zero_grad()", "pass", "gradient",
                                 "Sequential.0.weight", 3, "gradients of an earlier step"),
    "fakes drawn anew": (ADVERSARIES, "    fooled = criterion", "    fake = generator("
                         "torch.randn(16, 4))\n    fooled = criterion", "loss", "", 2,
                         "torch has drawn .* noise is drawn once more"),
    "a state not handed on": (RECURRENT, "hidden.detach()", "torch.zeros(1, 4, 8)", "loss", "", 2,
                              "steps hand on .hidden units"),
    "clipped after the step": (RECURRENT, "    nn.utils.clip_grad_norm_(model.parameters(), 0.3)\n"
                               "    optimizer.step()", "    optimizer.step()\n"
                               "    nn.utils.clip_grad_norm_(model.parameters(), 0.3)", "gradient",
                               "Model.embed.weight", 1, "clipping"),
    "dropout left out by the mode": (RECURRENT, "model.train()", "model.eval()", "mode", "Model",
                                     1, "evaluation mode where the original is in training"),
    "a factor from some step on": (TAGGER, "(loss / 2)", "(loss / (2 if step < 3 else 1))", "loss",
                                   "", 4, "whose loss is 2 times"),
    "divided twice by the accumulation": (TAGGER, "(loss / 2)", "(loss / 4)", "loss", "", 1,
                                          "every loss is 0.5 times"),
    "weight decay applied twice": (TAUGHT, "scaler.step(optimizer)", "scaler.step(optimizer); "
                                   "[p.data.mul_(1 - 1e-3) for p in decayed]", "loss", "", 2,
                                   "step 1 to step 2 something moves Net.body.1.weight"),
    "weights decayed apart from gradients": (TAUGHT, "Adam(groups", "AdamW(groups", "loss", "", 2,
                                             "decoupled_weight_decay of optimizer 0, group 0 is 1"),
    "momentum that looks ahead": (SCRIPT, "momentum=0.9", "momentum=0.9, nesterov=True", "loss",
                                  "", 2, "nesterov of optimizer 0, group 0 is 1"),
    "a variant of the optimizer": (TAUGHT, "0.99))", "0.99), amsgrad=True)", "parameter",
                                   "Net.head.weight", None, "amsgrad of optimizer 0, group 0 is 1"),
    "an average of another model": (TAUGHT, "now in zip(average.parameters(), student.",
                                    "now in zip(average.parameters(), copy.deepcopy(average).",
                                    "parameter", "Net (not trained, 1 of 2).body.1.weight", None,
                                    "EMA"),
    "a teacher trained along": (TAUGHT, "Adam(groups", "Adam([*groups, {'params': "
                                "teacher.parameters()}]", "gradient", "", 1, "trains Net#2.body"),
    "a layer thawed later": (TAUGHT, "optimizer.zero_grad()", "optimizer.zero_grad(); "
                             "student.body[0].requires_grad_(epoch > 0)", "gradient",
                             "Net.body.0.weight", 5, "what is frozen there is trained"),
    "the batch trained again": (SHARED, "y = data[step % 4], labels[step % 4]",
                                "y = data[max(0, step - 1) % 4], labels[max(0, step - 1) % 4]",
                                "loss", "", 2, "other data come"),
    "a sample left out": (SHARED, "(logits, y)", "(logits[:-1], y[:-1])", "loss", "", 1, "a term"),
    "a step too many": (SHARED, "    optimizer.step()", "    optimizer.step(); optimizer.step()",
                        "backwards", "", 2, "fewer backwards"),
    "a gradient turned round": (SHARED, "    optimizer.step()", "    model.mix.bias.grad.neg_(); "
                                "optimizer.step()", "loss", "", 2, "moves Coder.mix.bias"),
    "a gradient turned round at last": (SHARED, "    optimizer.step()", "    step == 9 and "
                                        "model.mix.weight.grad.copy_(model.mix.weight.grad.t()."
                                        "clone())\n    optimizer.step()", "parameter",
                                        "Coder.mix.weight", None, "of the same size and another"),
    "a batch changed in place": (PHASES, "    optimizer.step()\n\n\ndef train", "    optimizer."
                                 "step()\n    x.mul_(0.5)\n\n\ndef train", "loss", "", 9,
                                 "other data come"),
    "clipped by value": (RECURRENT, "clip_grad_norm_(model.parameters(), 0.3)",
                         "clip_grad_value_(model.parameters(), 0.3)", "gradient",
                         "Model.embed.weight", 1, "clipping"),
    "a schedule before its step": (TAGGER, "    optimizer.step()\n    optimizer.zero_grad()\n    "
                                   "schedule.step()", "    schedule.step()\n    optimizer.step()\n"
                                   "    optimizer.zero_grad()", "setting",
                                   "lr of optimizer 0, group 0", 4, "schedule"),
    "evaluated on other data": (TAGGER, "labels[0].view", "labels[1].view", "printed",
                                "validation loss", None, "what is printed"),
    "a precision lost": (SCRIPT, "criterion(logits, y)", "criterion(logits.bfloat16().float(), y)",
                         "loss", "", 2, "a lower precision"),
    "a precision lost, slightly": (SCRIPT, "criterion(logits, y)",
                                   "criterion(logits.half().float(), y)", "parameter",
                                   "Net.body.0.weight", None, "a lower precision"),
    "the loss in autocast": (CAST, "        loss = criterion", "            loss = criterion",
                             "loss", "", 1, "before any update"),
    "a number of numpy too many": (DROPPING, "    optimizer.step()", "    optimizer.step(); "
                                   "numpy.random.rand()", "loss", "", 2, "numpy has drawn"),
    "dropout left on in evaluation": (DROPPING, "    model.eval()\n", "", "mode", "dropout", None,
                                      "what calls eval"),
    "dropout left on where gradients are recorded": (
        DROPPING, "    model.eval()\n    with torch.no_grad():", "    if True:", "mode", "dropout",
        None, "what calls eval"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_caught_with_the_place_and_the_cause(against: Against, fault: str) -> None:
    original, old, new, what, name, step, words = FAULTS[fault]
    patched = replaced(original, old, new)
    if "saved = " in new:
        patched = replaced(patched, "    model.train()", "    model.norm = saved")

    verdict = against(original, patched)

    first = verdict.first_difference
    assert verdict.status == "mismatch"
    assert verdict.exit_code == 1
    assert first is not None
    assert (first.what, first.name, first.step) == (what, name, step), first.likely_cause
    assert re.search(words, first.likely_cause), first.likely_cause


@pytest.mark.parametrize(
    "original",
    [SCRIPT, TAGGER, BY_HAND, SHARED, CAST, TAUGHT, PHASES, ADVERSARIES, RECURRENT, DROPPING],
    ids=[
        "script",
        "tagger",
        "by hand",
        "shared",
        "cast",
        "taught",
        "phases",
        "adversaries",
        "recurrent",
        "dropping",
    ],
)
def test_no_fault_is_seen_where_there_is_none(against: Against, original: str) -> None:
    verdict = against(original, original + "\n")

    assert verdict.status == "match"
    assert verdict.max_param_diff == verdict.max_loss_diff == 0
    assert verdict.steps_by == ("backward" if original == BY_HAND else "optimizer")


def test_stale_batchnorm_statistics_though_every_loss_agrees(against: Against) -> None:
    stale = "bn = model.body[1]; keep = bn.running_var.clone(), bn.num_batches_tracked.clone()"
    restore = "bn.running_var.copy_(keep[0]); bn.num_batches_tracked.copy_(keep[1])"
    call = "logits, value = model(x)"
    patched = replaced(SCRIPT, call, f"{stale}; {call}")
    patched = replaced(patched, "optimizer.step()", f"optimizer.step(); {restore}")

    verdict = against(SCRIPT, patched)

    assert verdict.status == "mismatch"
    assert verdict.max_loss_diff == 0
    assert verdict.first_difference is not None
    assert verdict.first_difference.what == "buffer"
    assert verdict.first_difference.name == "Net.body.1.running_var"
    assert "BatchNorm" in verdict.first_difference.likely_cause


def test_a_detached_module_whose_gradients_are_small(against: Against) -> None:
    adam = replaced(
        SCRIPT, "SGD(model.parameters(), lr=0.1, momentum=0.9)", "Adam(model.parameters())"
    )
    faint = replaced(adam, "weight = 0.5", "weight = 1e-4")
    patched = replaced(faint, "((value - t)", "((value.detach() - t)")

    verdict = against(faint, patched)

    assert verdict.first_difference is not None
    assert verdict.first_difference.name in ("Net.aux.weight", "Net.aux.bias")


def test_a_patched_script_that_dies(against: Against) -> None:
    dies = "if epoch == 1: raise ValueError('no kernel')\n        loss.backward()"
    verdict = against(SCRIPT, replaced(SCRIPT, "loss.backward()", dies))

    assert verdict.status == "mismatch"
    assert verdict.first_difference is not None
    assert (verdict.first_difference.what, verdict.first_difference.step) == ("steps", 8)
    assert "ValueError: no kernel" in verdict.messages[-1]
    assert "the original did not" in verdict.messages[-1]


def test_a_patched_script_killed_by_a_signal(against: Against) -> None:
    dies = "import os, signal; os.kill(os.getpid(), signal.SIGFPE)\n        loss.backward()"
    verdict = against(SCRIPT, replaced(SCRIPT, "loss.backward()", dies))

    assert verdict.status == "mismatch"
    assert "SIGFPE" in verdict.messages[-1]
