"""Which classes of a script are modules or criteria, by what they derive from.

    class ModelWithLoss(nn.Module):
        def __init__(self, model, criterion): ...
        def forward(self, x, y):
            return self.criterion(self.model(x), y)

has the name of a loss and is the module that is trained.
"""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.evidence.factories import makes_module
from ortwrap.engine.evidence.kinds import (
    CRITERION_CLASS,
    MODULE_NAME,
    Role,
    is_criterion_name,
)
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.classes import Classes
from ortwrap.engine.names.elsewhere import defined_elsewhere
from ortwrap.engine.text.nodes import calls_in
from ortwrap.engine.text.tree import SourceTree

# A class may stand below what derives from it: as deep as hierarchies in one file go.
_ROUNDS = 4

# A model that brings its loss; `PerceptualLoss(network)` is a loss that brings a network.
_MODEL_WITH_LOSS = re.compile(
    r"(?:With|And|Add)Loss|Loss\w*(?:Model|Module|Net|Network|Wrapper|Step)$"
)
_NEVER_TRAINED = re.compile(r"teacher|target|disc|critic|vgg|frozen", re.IGNORECASE)


def find_module_classes(
    tree: SourceTree, bindings: Bindings, classes: Classes
) -> dict[cst.CSTNode, Role]:
    """The role of every class of this file whose instances are modules or criteria."""
    roles: dict[cst.CSTNode, Role] = {}
    for _ in range(_ROUNDS):
        for node in tree.classes:
            role = _role(node, roles, bindings, classes)
            if role is not None:
                named = CRITERION_CLASS.search(node.name.value) is not None
                around = named and _runs_a_model(node, classes)
                roles[node] = "criterion" if named and not around else role
    return roles


def _role(
    node: cst.ClassDef, known: dict[cst.CSTNode, Role], bindings: Bindings, classes: Classes
) -> Role | None:
    roles = [_base_role(base.value, known, bindings) for base in node.bases]
    given = [role for role in roles if role is not None]
    if given:
        return given[-1]
    users = classes.mixed_into(node)
    if users and all(known.get(user) == "module" for user in users):
        return "module"
    return "module" if classes.is_lightning(node) else None


def _runs_a_model(home: cst.ClassDef, classes: Classes) -> bool:
    """Its forward runs the model that its constructor is given."""
    forward = classes.inherited(home, "forward")
    constructor = classes.constructor(home)
    if _MODEL_WITH_LOSS.search(home.name.value) is None or forward is None or constructor is None:
        return False
    given = {parameter.name.value for parameter in constructor.params.params}
    run = {
        call.func.attr.value
        for call in calls_in(forward.body)
        if isinstance(call.func, cst.Attribute) and isinstance(call.func.value, cst.Name)
    }
    return any(map(_is_name_of_model, given & run))


def _is_name_of_model(name: str) -> bool:
    model = name == "module" or MODULE_NAME.search(name) is not None
    return model and _NEVER_TRAINED.search(name) is None and not is_criterion_name(name)


def _base_role(
    base: cst.BaseExpression, known: dict[cst.CSTNode, Role], bindings: Bindings
) -> Role | None:
    defined = bindings.definition(base)
    if defined is not None:
        return known.get(defined)
    found = defined_elsewhere(base, bindings)
    if found is not None:
        return found.file.module_classes.get(found.node)
    qualified = bindings.qualified(base) or ""
    if qualified.startswith("torch.nn."):
        return "criterion" if CRITERION_CLASS.search(qualified) else "module"
    if makes_module(qualified) or qualified.endswith(("MessagePassing", "PreTrainedModel")):
        return "module"
    return None
