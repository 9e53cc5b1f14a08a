"""Which of its arguments a call writes to: `out=y`, `inplace=True`, `np.copyto(a, b)`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.names.bindings import Bindings

_WRITE_TO_THE_FIRST = frozenset(
    "operator.setitem operator.delitem operator.iadd operator.isub operator.imul operator.itruediv "
    "operator.ior operator.iconcat random.shuffle numpy.random.shuffle numpy.copyto numpy.put "
    "numpy.place numpy.putmask numpy.fill_diagonal numpy.put_along_axis".split()
)
_COLLECTIVES = frozenset(
    "all_reduce all_gather all_gather_into_tensor all_gather_object all_to_all all_to_all_single "
    "broadcast broadcast_object_list gather recv reduce reduce_scatter reduce_scatter_tensor "
    "scatter".split()
)
# Their first argument is a module's parameters or gradients, which are looked after elsewhere.
_OF_MODULES = "torch.nn.utils."
# Where the functions and layers of torch that can work in place are told so by position.
_INPLACE_AT = {
    **dict.fromkeys("ReLU ReLU6 SELU SiLU Mish Hardswish Hardsigmoid".split(), 0),
    **dict.fromkeys("LeakyReLU ELU CELU Dropout Dropout1d Dropout2d Dropout3d".split(), 1),
    **dict.fromkeys("AlphaDropout FeatureAlphaDropout".split(), 1),
    **dict.fromkeys("relu relu6 selu silu mish hardswish hardsigmoid".split(), 1),
    **dict.fromkeys("Threshold Hardtanh RReLU leaky_relu elu celu".split(), 2),
    **dict.fromkeys("threshold hardtanh dropout dropout1d dropout2d dropout3d".split(), 3),
    **dict.fromkeys("alpha_dropout feature_alpha_dropout".split(), 3),
    "rrelu": 4,
}


def written_arguments(call: cst.Call, bindings: Bindings) -> Iterator[cst.BaseExpression]:
    """The arguments whose values are other ones after the call."""
    for argument in call.args:
        if argument.keyword is not None and argument.keyword.value == "out":
            yield from _each(argument.value)
    first = call.args[0] if call.args else None
    plain = first is not None and first.keyword is None and not first.star
    if first is not None and plain and _writes_to_the_first(call, bindings):
        yield first.value


def works_in_place(call: cst.Call) -> bool:
    """It says `inplace=True`, or leaves it to a variable; `nn.ReLU(True)` says so too."""
    at = _INPLACE_AT.get(_last_name(call.func))
    for position, argument in enumerate(call.args):
        named = argument.keyword is not None and argument.keyword.value == "inplace"
        by_position = argument.keyword is None and position == at
        if (named or by_position) and not _is_false(argument.value):
            return True
    return False


def _is_false(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Name) and value.value == "False"


def _writes_to_the_first(call: cst.Call, bindings: Bindings) -> bool:
    made = call.func if isinstance(call.func, cst.Call) else call
    if works_in_place(made):
        # `F.relu(x, inplace=True)`, `nn.ReLU(inplace=True)(x)`; what makes the layer does not.
        return made is not call or not _makes_a_layer(call)
    name = bindings.qualified(call.func) or ""
    package, _, last = name.rpartition(".")
    if package == "torch.distributed" and last in _COLLECTIVES:
        return True
    if name.startswith("numpy.") and last == "at":
        # `np.add.at(counts, labels, 1)`
        return True
    by_custom = name.startswith("torch.") and name.endswith("_") and not name.endswith("__")
    return name in _WRITE_TO_THE_FIRST or (by_custom and not name.startswith(_OF_MODULES))


def _makes_a_layer(call: cst.Call) -> bool:
    return _last_name(call.func)[:1].isupper()


def _last_name(func: cst.BaseExpression) -> str:
    name = func.attr if isinstance(func, cst.Attribute) else func
    return name.value if isinstance(name, cst.Name) else ""


def _each(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(value, (cst.Tuple, cst.List)):
        yield from (element.value for element in value.elements)
    else:
        yield value
