"""Libraries that run forward, loss and backward in their own code."""

from __future__ import annotations

import builtins
import re
import sys

import libcst as cst

from ortwrap.engine.names.classes import Classes

_RUNS_STEPS = re.compile(
    r"^(?:transformers|trl|sentence_transformers|setfit)\.(?:.*\.)?\w*Trainer$"
    r"|^ignite\.engine\.(?:.*\.)?create_supervised_trainer$"
)
# Python 3.9 does not tell what its standard library holds.
_STANDARD: frozenset[str] = getattr(
    sys, "stdlib_module_names", frozenset("abc dataclasses enum typing unittest".split())
)
# What derives from their classes, but for those told apart above, hands its loss to nobody.
_KNOWN = _STANDARD | frozenset(
    "torch transformers trl peft lightning pytorch_lightning accelerate ignite".split()
)


def runs_steps(qualified: str) -> bool:
    """What is called makes an object whose training step stands in the library."""
    return _RUNS_STEPS.match(qualified) is not None


def unknown_base(home: cst.ClassDef, classes: Classes) -> str | None:
    """A base of a class of which neither a file nor a library tells what it is."""
    for name in classes.lineage(home).libraries:
        root = name.partition("[")[0].split(".")[0]
        if root not in _KNOWN and not hasattr(builtins, root):
            return name
    return None
