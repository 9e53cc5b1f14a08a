"""What no exported graph can hold, in a function that forward runs.

Each of these runs eagerly under `ortwrap.runtime` (docs/runtime.md). A trace would freeze the
value, the draw or the count of the first batch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.questions import first_question
from ortwrap.engine.foresight.code import Code
from ortwrap.engine.text.nodes import descendants

_TAKES_VALUES = frozenset("item tolist numpy".split())
_DRAWS = re.compile(r"(?:random|numpy\.random)\.(?!seed$|Random$|default_rng$)\w+$")
_INNER_GRADIENT = re.compile(r"torch\.(?:autograd\.(?:grad|functional\.\w+)|func\.(?:v?jvp|grad))$")
_SPARSE = re.compile(r"torch\.(?:spmm|sparse\.\w*mm|sparse_\w+_tensor|sparse\.FloatTensor)$")
_COMPLEX = re.compile(r"torch\.(?:stft|istft|view_as_complex|polar|fft\.\w+)$")
_BY_FUNCTION = (
    (_DRAWS, "draws a random number in Python"),
    (_INNER_GRADIENT, "takes a gradient itself"),
    (_SPARSE, "computes with sparse tensors"),
    (_COMPLEX, "computes with complex numbers"),
)


@dataclass(frozen=True)
class Cause:
    """Why ONNX Runtime cannot run a step.

    Attributes:
        what: `takes a value out of a tensor`.
        node: the expression that does.
        code: the function that it stands in.
    """

    what: str
    node: cst.CSTNode
    code: Code

    def __str__(self) -> str:
        brief = self.code.source.bindings.tree.brief(self.node)
        return f"`{self.code.name}` {self.what}, `{brief}` ({self.code.source.place(self.node)})"


def cause_in(code: Code) -> Cause | None:
    """The first such thing in a function that runs whenever a training step does."""
    if code.function is None:
        return None
    for node in code.runs():
        what = _what(node, code)
        if what:
            return Cause(what, node, code)
    question = first_question(code.function, code.source.bindings, code.source.values)
    return None if question is None else Cause("takes a branch by values", question, code)


def _what(node: cst.CSTNode, code: Code) -> str:
    if isinstance(node, cst.AugAssign):
        return "counts its calls" if _is_count_of_instance(node, code) else ""
    if not isinstance(node, cst.Call):
        return ""
    func = node.func
    if isinstance(func, cst.Attribute) and func.attr.value in _TAKES_VALUES:
        return "takes values out of a tensor" if not node.args and _is_own(func, code) else ""
    qualified = code.source.bindings.qualified(func) or ""
    return next((what for names, what in _BY_FUNCTION if names.match(qualified)), "")


def _is_own(func: cst.Attribute, code: Code) -> bool:
    """The values come from something that the function is given or makes."""
    own = code.source.bindings.scope(code.function).names if code.function is not None else {}
    names = [node.value for node in descendants(func.value) if isinstance(node, cst.Name)]
    return any(name in own and name != code.instance for name in names)


def _is_count_of_instance(node: cst.AugAssign, code: Code) -> bool:
    """`self.calls += 1`, where a class of the line sets it to a number."""
    target = node.target
    if code.lineage is None or not isinstance(target, cst.Attribute):
        return False
    if not code.is_instance(target.value):
        return False
    given = (
        value
        for member in code.lineage.members
        for value in member.bindings.attribute_values.get(target.attr.value, ())
    )
    return any(isinstance(value, (cst.Integer, cst.Float)) for value in given)
