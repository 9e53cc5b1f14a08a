"""How to tell a LightningModule, and whether it goes backward by itself."""

from __future__ import annotations

import re

import libcst as cst

LIGHTNING_PACKAGES = ("lightning", "pytorch_lightning")
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
