"""Values that libraries compute of literals alone: the same at every step."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants


def is_constant(node: cst.BaseExpression, bindings: Bindings) -> bool:
    """`np.log(2 * np.pi)`, but nothing that is drawn."""
    for inner in descendants(node):
        if isinstance(inner, cst.Name):
            # The name of an attribute or a keyword is bound nowhere either.
            bound = bindings.lookup(inner)
            if not all(binding.kind == "import" for binding in bound):
                return False
        if isinstance(inner, cst.Call):
            qualified = bindings.qualified(inner.func) or ""
            known = qualified.startswith(("numpy.", "math.", "torch."))
            if not known or "rand" in qualified:
                return False
    return True
