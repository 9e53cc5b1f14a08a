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
    """It says `inplace=True`, or leaves it to a variable."""
    return any(
        argument.keyword is not None
        and argument.keyword.value == "inplace"
        and not (isinstance(argument.value, cst.Name) and argument.value.value == "False")
        for argument in call.args
    )


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
    name = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return isinstance(name, cst.Name) and name.value[:1].isupper()


def _each(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(value, (cst.Tuple, cst.List)):
        yield from (element.value for element in value.elements)
    else:
        yield value
