"""Libraries that call the step of a class which derives from one of theirs, and go backward."""

from __future__ import annotations

from dataclasses import dataclass

from ortwrap.engine.evidence.lightning import is_lightning_base

_TRAINERS = ("transformers.", "trl.", "sentence_transformers.", "setfit.", "peft.", "optimum.")


@dataclass(frozen=True)
class Framework:
    """What is known of the classes of one.

    Attributes:
        reports: methods that hand values to a logger and change nothing that a step computes with.
        always_there: what each instance has, whatever its constructor is given.
    """

    reports: frozenset[str]
    always_there: frozenset[str]


LIGHTNING = Framework(
    reports=frozenset("log log_dict print".split()),
    always_there=frozenset("device dtype training current_epoch global_step".split()),
)
HUGGING_FACE = Framework(
    reports=frozenset(["log"]),
    always_there=frozenset(
        "args model state control accelerator label_smoother optimizer lr_scheduler".split()
    ),
)


def framework_of(bases: list[str]) -> Framework | None:
    """By the full names of the bases that no file of the project defines."""
    if any(map(is_lightning_base, bases)):
        return LIGHTNING
    return HUGGING_FACE if any(map(is_trainer_base, bases)) else None


def is_trainer_base(qualified: str) -> bool:
    """A `Trainer` of Hugging Face, which calls `compute_loss`."""
    return qualified.startswith(_TRAINERS) and qualified.endswith("Trainer")
