"""How to tell a LightningModule, and whether it goes backward by itself."""

from __future__ import annotations

import re

import libcst as cst

LIGHTNING_PACKAGES = ("lightning", "pytorch_lightning")
# What a LightningModule of any version has, beside what every module has.
_OF_LIGHTNING = re.compile(
    r"^(?:on_|configure_|optimizers?$|optimizer_|lr_schedulers?|log|save_|load_|to_|prepare_data|add_"
    r"|get_|remove_|(?:un)?toggled?_|hparams|CHECKPOINT_|clip_gradients$|transfer_batch|all_gather$"
    r"|(?:train|val|test|predict)_dataloader$|(?:manual_)?backward$|(?:un)?freeze$|allow_|truncated_"
    r"|use_amp$|print$|setup$|teardown$|trainer$|training$|fabric$|device|dtype$|summarize$|grad_norm$"
    r"|current_epoch$|global_|local_|strict_|example_input|automatic_opt|tbptt_|is_|property|loaded_)"
    r"|_(?:step|step_end|epoch_end)$"
)
_BY_HAND = re.compile(r"automatic_optimization\s*=\s*False|def automatic_optimization\b")


def is_lightning_base(qualified: str) -> bool:
    """A base class as its import names it is a LightningModule."""
    return qualified.rsplit(".", 1)[-1].endswith(("LightningModule", "LightningBase"))


def has_in_lightning(qualified: str, attribute: str) -> bool | None:
    """A LightningModule has such an attribute; None where the base is none of Lightning's."""
    package, _, name = qualified.rpartition(".")
    if package.split(".")[0] not in LIGHTNING_PACKAGES or name != "LightningModule":
        return None
    return _OF_LIGHTNING.search(attribute) is not None


def steps_for_a_framework(node: cst.ClassDef) -> bool:
    """It has the two methods that Lightning asks for, whatever base class brings the rest."""
    return bool(node.bases) and {"training_step", "configure_optimizers"} <= method_names(node)


def optimizes_by_hand(node: cst.ClassDef) -> bool:
    """`self.automatic_optimization = False`: what `training_step` returns gets no backward."""
    code = cst.Module([]).code_for_node(node.body)
    return _BY_HAND.search(code) is not None


def method_names(node: cst.ClassDef) -> set[str]:
    return {item.name.value for item in node.body.body if isinstance(item, cst.FunctionDef)}
