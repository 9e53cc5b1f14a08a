"""Runs inside the recorded script: keep it small, and import nothing of the engine here."""

from __future__ import annotations

import os

from ortwrap.proof.recorder.config import RecorderConfig
from ortwrap.proof.recorder.imports import when_imported


def start(config_file: str) -> None:
    """Arrange for seeds and hooks to be set as the script imports what they concern."""
    config = RecorderConfig.read(config_file)
    # One report for each process: the ranks of a distributed run would overwrite one another's.
    os.environ["ORTWRAP_REPORT"] = os.path.join(config.out, f"{os.getpid()}.report")

    def on_random() -> None:
        from ortwrap.proof.recorder.determinism import seed_random

        seed_random(config.seed, config.seed_shift)

    def on_numpy() -> None:
        from ortwrap.proof.recorder.determinism import seed_numpy

        seed_numpy(config.seed, config.seed_shift)

    def on_torch() -> None:
        from ortwrap.proof.recorder.determinism import seed_torch, turn_dropout_off
        from ortwrap.proof.recorder.record import Recorder

        seed_torch(config.seed, config.seed_shift)
        if not config.keep_dropout:
            turn_dropout_off()
        if config.sandbox:
            from ortwrap.proof.recorder.copy_up import keep_torch_saves_inside

            keep_torch_saves_inside(config.sandbox)
        if config.variant:
            from ortwrap.proof.recorder.variants import put_in_place

            put_in_place(config.variant)
        Recorder(config).install()

    if not config.only_time:
        from ortwrap.proof.recorder.said import keep_what_is_said

        keep_what_is_said(config.out)
    when_imported({"random": on_random, "numpy": on_numpy, "torch": on_torch})
    if config.sandbox:
        from ortwrap.proof.recorder.copy_up import keep_writes_inside

        keep_writes_inside(config.sandbox)
