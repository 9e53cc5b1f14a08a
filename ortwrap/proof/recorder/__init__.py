"""Runs inside the recorded script: keep it small, and import nothing of the engine here."""

from __future__ import annotations

import os
import sys

from ortwrap.proof.recorder.config import RecorderConfig
from ortwrap.proof.recorder.copy_up import copy_up
from ortwrap.proof.recorder.imports import when_imported
from ortwrap.proof.recorder.outside import JOURNAL, Journal
from ortwrap.proof.recorder.writes import Write, when_saved, when_written


def start(config_file: str) -> None:
    """Arrange for seeds and hooks to be set as the script imports what they concern."""
    config = RecorderConfig.read(config_file)
    # One report for each process: the ranks of a distributed run would overwrite one another's.
    os.environ["ORTWRAP_REPORT"] = os.path.join(config.out, f"{os.getpid()}.report")

    root = os.path.join(os.path.realpath(config.sandbox), "")
    journal = Journal(os.path.join(config.out, JOURNAL), [config.out, config.sandbox])

    def on_write(write: Write) -> None:
        # A link inside leads outside until it is replaced.
        copy_up(write.path, root, keep_content=write.keep_content, last=write.through)
        journal.note(write)

    def on_random() -> None:
        from ortwrap.proof.recorder.determinism import seed_random

        seed_random(config.seed, config.seed_shift)

    def on_numpy() -> None:
        from ortwrap.proof.recorder.determinism import seed_numpy

        seed_numpy(config.seed, config.seed_shift)

    def on_torch() -> None:
        from ortwrap.proof.recorder.determinism import seed_torch
        from ortwrap.proof.recorder.record import Recorder

        seed_torch(config.seed, config.seed_shift)
        if not config.keep_dropout:
            from ortwrap.proof.recorder.dropout import turn_dropout_off

            turn_dropout_off()
        when_saved(sys.modules["torch"], "save", 1, on_write)
        if config.variant:
            from ortwrap.proof.recorder.variants import put_in_place

            put_in_place(config.variant)
        Recorder(config).install()

    if not config.only_time:
        from ortwrap.proof.recorder.said import keep_what_is_said

        keep_what_is_said(config.out)

    def on_safetensors() -> None:
        when_saved(sys.modules["safetensors"], "serialize_file", 1, on_write)

    callbacks = {"random": on_random, "numpy": on_numpy, "torch": on_torch}
    when_imported({**callbacks, "safetensors": on_safetensors})
    when_written(on_write)
