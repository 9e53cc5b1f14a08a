"""What is known of a LightningModule: how to tell one, and which of its methods only report."""

from __future__ import annotations

import re

import libcst as cst

LIGHTNING_PACKAGES = ("lightning", "pytorch_lightning")
# Inherited methods that hand values to a logger and change nothing that a step computes with.
REPORTS = frozenset("log log_dict print".split())
# What each instance has, with a trainer or without.
ALWAYS_THERE = frozenset("device dtype training current_epoch global_step".split())
_BY_HAND = re.compile(r"automatic_optimization\s*=\s*False|def automatic_optimization\b")


def is_lightning_base(qualified: str) -> bool:
    """A base class as its import names it is a LightningModule."""
    return qualified.rsplit(".", 1)[-1].endswith(("LightningModule", "LightningBase"))


def steps_for_a_framework(node: cst.ClassDef) -> bool:
    """It has the two methods that Lightning asks for, whatever base class brings the rest."""
    return bool(node.bases) and {"training_step", "configure_optimizers"} <= method_names(node)


def optimizes_by_hand(node: cst.ClassDef) -> bool:
    """`self.automatic_optimization = False`: what `training_step` returns gets no backward."""
    code = cst.Module([]).code_for_node(node.body)
    return _BY_HAND.search(code) is not None


def method_names(node: cst.ClassDef) -> set[str]:
    return {item.name.value for item in node.body.body if isinstance(item, cst.FunctionDef)}


def is_report(func: cst.Attribute, instance: str | None) -> bool:
    """`self.log(...)`, if no class of the instance has a `log` of its own."""
    return (
        isinstance(func.value, cst.Name)
        and func.value.value == instance
        and func.attr.value in REPORTS
    )
