"""ONNX Runtime's symbolic shape inference, made to give up on one node instead of on the model.

ORTModule stops the training of a model when the inference meets a node that it has no answer for:
an AssertionError without a word. ONNX Runtime itself does with less: where a size is not known when
the graph is built, it looks when the graph runs.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

from ..compat.shape_inference import leave_no_file

# A round goes over the whole graph, and is repeated as long as it has learned something.
_MAX_ROUNDS = 50


def install() -> None:
    """Replaces what ORTModule does to infer shapes."""
    from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference
    from onnxruntime.training.ortmodule._graph_transition_manager import GraphTransitionManager

    leave_no_file()
    SymbolicShapeInference._add_suggested_merge = _suggesting(
        SymbolicShapeInference._add_suggested_merge
    )
    GraphTransitionManager._infer_shapes = staticmethod(infer_shapes)


def infer_shapes(model: Any) -> Any:
    """The model with as many shapes as can be told."""
    from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference

    inference = SymbolicShapeInference(
        2**31 - 1, auto_merge=True, guess_output_rank=True, verbose=0
    )
    inference._preprocess(model)
    for name, function in inference.dispatcher_.items():
        inference.dispatcher_[name] = functools.partial(_or_unknown, inference, function)
    for _ in range(_MAX_ROUNDS):
        if not inference.run_:
            break
        inference._infer_impl()
    inference._update_output_from_vi()
    return inference.out_mp_


def _suggesting(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def suggest(self: Any, symbols: Any, apply: bool = False) -> None:
        """Merges sizes that must be equal, those without a record among them."""
        import sympy

        numbers_or_names = [_number_or_name(symbol) for symbol in symbols]
        for name in numbers_or_names:
            if isinstance(name, str) and name not in self.symbolic_dims_:
                self.symbolic_dims_[name] = sympy.Symbol(name, integer=True, nonnegative=True)
        if len({size for size in numbers_or_names if isinstance(size, int)}) < 2:
            original(self, numbers_or_names, apply)

    return suggest


def _number_or_name(size: Any) -> int | str:
    text = str(size)
    return int(text) if text.isdigit() else text


def _or_unknown(inference: Any, function: Callable[[Any], None], node: Any) -> None:
    """Infers the shapes of what a node returns; new names for sizes where that fails."""
    from onnx import TensorProto, helper
    from onnxruntime.tools.symbolic_shape_infer import get_shape_from_sympy_shape

    try:
        function(node)
    except Exception:
        rank = _rank(inference, node)
        for index, name in enumerate(node.output):
            known = inference.known_vi_[name].type.tensor_type.elem_type
            given = inference.known_vi_[node.input[0]].type.tensor_type.elem_type
            dtype = given if known == TensorProto.UNDEFINED else known
            shape = get_shape_from_sympy_shape(inference._new_symbolic_shape(rank, node, index))
            inference.known_vi_[name].CopyFrom(helper.make_tensor_value_info(name, dtype, shape))


def _rank(inference: Any, node: Any) -> int:
    """How many dimensions the node's results have."""
    if node.op_type in ("Reshape", "Expand"):
        (size,) = inference._get_shape(node, 1)
        return int(size)
    known = inference.known_vi_[node.output[0]].type.tensor_type
    return len(known.shape.dim) or int(inference._get_shape_rank(node, 0))
