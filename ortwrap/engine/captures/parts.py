"""What the run of a model sets on a part of it that goes by a name of its own.

sampler = vae.sampler
...
recon = vae(x)
loss = F.mse_loss(recon, x) + sampler.kl
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere
from ortwrap.engine.text.nodes import descendants

_BEFORE_ANY_RUN = frozenset(["__init__", "build", "setup"])


def set_by_a_run(node: cst.CSTNode, analyses: Analyses) -> str | None:
    """Such an attribute that an expression reads; None if it reads none."""
    for inner in descendants(node):
        if isinstance(inner, cst.Attribute) and not analyses.modules.is_trainable(inner.value):
            whole = list(_modules_around(inner.value, analyses))
            files = [analyses.bindings, *_files_of(whole, analyses)] if whole else []
            if any(_sets(inner.attr.value, file) for file in files):
                return analyses.tree.code(inner)
    return None


def _modules_around(part: cst.CSTNode, analyses: Analyses) -> Iterator[cst.CSTNode]:
    """`vae`, of which a name holds a part."""
    for value in analyses.modules.values(part):
        owner: cst.CSTNode = value
        while isinstance(owner, (cst.Attribute, cst.Subscript)):
            owner = owner.value
            if analyses.modules.is_trainable(owner):
                yield owner


def _files_of(whole: list[cst.CSTNode], analyses: Analyses) -> Iterator[Bindings]:
    """The other files whose classes made the modules."""
    for module in whole:
        for made in analyses.modules.values(module):
            func = made.func if isinstance(made, cst.Call) else None
            found = None if func is None else defined_elsewhere(func, analyses.bindings)
            if found is not None:
                yield found.file.bindings


def _sets(attribute: str, bindings: Bindings) -> bool:
    """Some method that no constructor is sets an attribute of this name."""
    for function in bindings.tree.functions:
        if function.name.value not in _BEFORE_ANY_RUN:
            for node in descendants(function.body):
                target = node.target if isinstance(node, cst.AssignTarget) else None
                if isinstance(target, cst.Attribute) and target.attr.value == attribute:
                    return True
    return False
