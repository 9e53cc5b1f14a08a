"""The traps of real training scripts, each with the cases that walk into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import FOLDER

# Number and trap, the cases that train before and after (in `cases/`), and the tests of what is
# refused or left alone (ids in the file named).
TRAPS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "1 eval mode on purpose": (("frozen_backbone_in_eval_mode", "phases_with_grad_switched"), {}),
    "2 train() with another meaning": (("model_overrides_train",), {}),
    "3 a wrapper is built once, and again": (("model_rebuilt_for_each_fold",), {}),
    "4 the user's name for the model": (("checkpoints_and_moving_average",), {}),
    "5 criteria with state or modules": (("criterion_with_state", "perceptual_loss"), {}),
    "6 Python scalars that change": (("weight_that_grows_by_epoch", "loss_that_grows"), {}),
    "7 branches": (
        ("option_that_the_loop_rewrites", "branch_on_configuration"),
        {"test_unchanged.py": "a branch on the value of the output before the loss"},
    ),
    "8 dtype and rank change": (("mixup", "smaller_last_batch"), {}),
    "9 the evaluation's loss is another": (("function_with_functional_loss",), {}),
    "10 DataParallel": ((), {"test_unchanged.py": "DataParallel gives one loss per device"}),
    "11 outside of autocast": (("autocast_around_the_model_only",), {}),
    "12 divisions that accumulate nothing": (("smaller_last_batch",), {}),
    "13 a forward from before an update": (
        (),
        {"test_unchanged.py": "a forward from before an update is used after it"},
    ),
    "14 gradients of several losses": (("two_losses_accumulate_gradients",), {}),
    "15 runs differ between branches": (("second_pass_only_sometimes",), {}),
    "16 in place on what was returned": (
        ("accumulation_in_place", "accumulation_divides_in_place", "labels_filled_in_place"),
        {"test_unchanged.py": "the target changes in place between forward and loss"},
    ),
    "17 the next batch under the same names": (("next_batch_while_this_one_runs",), {}),
    "18 a closure runs several times": (("optimizer_closure",), {}),
    "19 side channels": (
        ("weights_clamped_after_the_update", "option_that_the_loop_rewrites"),
        {"test_unchanged.py": "a hook on an inner value"},
    ),
    "20 names lie": (("names_that_lie",), {"test_unchanged.py": "`model` is a tensor"}),
    "21 names rebound by evaluation": (("names_rebound_by_evaluation",), {}),
    "22 sinks in helpers": (
        ("loss_scaler_helper",),
        {"test_unchanged.py": "a helper that only gets the loss"},
    ),
    "23 other libraries' backward": (
        (),
        {"test_unchanged.py": "the object of backward is an own class"},
    ),
    "24 layout": (("under_if_main",), {}),
    "25 outputs of other kinds": (("namedtuple_output", "deep_supervision"), {}),
}


def test_every_trap_is_here() -> None:
    assert [int(trap.split()[0]) for trap in TRAPS] == list(range(1, 26))


@pytest.mark.parametrize("trap", TRAPS)
def test_something_walks_into_it(trap: str) -> None:
    cases, refused = TRAPS[trap]
    assert cases or refused
    for case in cases:
        assert (FOLDER / case / "after.py").is_file()
    for file, name in refused.items():
        assert f'"{name}"' in (Path(__file__).parent / file).read_text(encoding="utf-8")
