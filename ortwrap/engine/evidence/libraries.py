"""Libraries that run forward, loss and backward in their own code."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.names.classes import Classes

_TRAINERS = ("transformers.", "trl.", "sentence_transformers.", "setfit.", "peft.", "optimum.")

_RUNS_STEPS = re.compile(
    r"^(?:transformers|trl|sentence_transformers|setfit)\.(?:.*\.)?\w*Trainer$"
    r"|^ignite\.engine\.(?:.*\.)?create_supervised_trainer$"
)


def runs_steps(qualified: str) -> bool:
    """What is called makes an object whose training step stands in the library."""
    return _RUNS_STEPS.match(qualified) is not None


def is_trainer(home: cst.ClassDef, classes: Classes) -> bool:
    """A class that derives from the `Trainer` of Hugging Face, which calls its `compute_loss`."""
    return any(
        name.startswith(_TRAINERS) and name.endswith("Trainer") for name in classes.bases(home)
    )
