"""Run a script and its patched twin, and say whether they train the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ortwrap.engine.options import Options
from ortwrap.proof.environment import busy
from ortwrap.proof.over_seeds import verdict_over_seeds
from ortwrap.proof.patched import CannotVerify, check_copied, patched_script
from ortwrap.proof.tolerance import Tolerances
from ortwrap.proof.trial import OnProgress, setting_of
from ortwrap.proof.verdict import Verdict
from ortwrap.proof.verification import OtherSeed, Verification
from ortwrap.proof.workspace import workspace


def verify(
    script: Path,
    *,
    steps: int = 20,
    patched: Path | None = None,
    also: Sequence[Path] = (),
    args: Sequence[str] = (),
    keep_dropout: bool = False,
    seeds: int = 6,
    seed: int = 0,
    other_seed: OtherSeed = "difference",
    timeout: float | None = None,
    tolerances: Tolerances | None = None,
    options: Options | None = None,
    cwd: Path | None = None,
    launcher: Sequence[str] = (),
    on_progress: OnProgress = lambda side, made, wanted: None,
) -> Verdict:
    """Run `script` and its patched twin for `steps` optimizer steps, and compare them.

    Both run in separate processes and in fresh copies of their folder, with the same seeds
    and without dropout. A difference over the tolerance is measured against what the original
    differs from itself once its parameters are nudged by rounding error. With dropout on, no
    two numbers need be equal; what several seeds give on average is compared instead.

    Args:
        script: the script to verify.
        steps: steps after which both are stopped: those of optimizers, or backwards where no
            optimizer steps.
        patched: the patched script; `script` is rewritten when None.
        also: further files to rewrite, where a training step is in one that the script imports.
        args: the script's own arguments.
        keep_dropout: leave dropout on, though ONNX Runtime draws other masks.
        seeds: how many seeds are compared then.
        seed: seed of torch, numpy and random on both sides.
        other_seed: whether to run the original with another seed too, which tells how much a
            difference is: `never`, when there is a `difference`, or `always`.
        timeout: seconds that one run may take.
        tolerances: what counts as the same.
        options: choices for the rewrite.
        cwd: folder to start the script in; the current one when None.
        launcher: what to put before the script instead of `python`, say
            `torchrun --nproc_per_node 2`.
        on_progress: called with the side (`original`, `patched`, `noise`), the steps
            made and the steps wanted.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    if seeds < 2:
        raise ValueError(f"seeds must be at least 2, not {seeds}")
    tolerances = tolerances or Tolerances()
    warning = busy()
    blank = Verdict(
        status="error",
        messages=(warning,) if warning else (),
        busy=warning is not None,
        script=str(script),
        tolerances=tolerances,
        dropout="on" if keep_dropout else "off",
        seed=seed,
    )
    try:
        check_copied(also, script, cwd or Path.cwd())
        twin = patched_script(script, patched, options or Options(), also)
        with workspace() as folder:
            setting = setting_of(
                script,
                twin,
                folder,
                args=args,
                cwd=cwd,
                launcher=launcher,
                also=also,
                steps=steps,
                seed=seed,
                keep_dropout=keep_dropout,
                timeout=timeout,
                on_progress=on_progress,
            )
            verification = Verification(setting, blank, ask_other_seed=other_seed)
            if keep_dropout:
                return verdict_over_seeds(verification, twin, seeds)
            return verification.of(twin)
    except CannotVerify as error:
        return replace(blank, messages=(*blank.messages, str(error)))
