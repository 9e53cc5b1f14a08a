"""Functions of single elements whose gradient ONNX Runtime lacks."""

from __future__ import annotations

from typing import Any

from .arguments import constant_of
from .paths import is_floating, is_tensor, scalar_type, traced_sizes
from .registry import as_graph, as_torch


def _is_broadcast(g: Any, *_: Any) -> bool:
    """where(Tensor condition, Tensor self, Tensor other), masked_fill(Tensor self, Tensor mask,
    Scalar value): the gradient of ONNX Runtime's Where has the shape of the result, whatever the
    shape of what it is the gradient of."""
    node = g.original_node
    wanted = traced_sizes(node.output())
    return wanted is None or any(
        traced_sizes(value) != wanted or 1 in wanted
        for value in node.inputs()
        if is_floating(value) and traced_sizes(value) != ()
    )


def _makes_truths(g: Any, *_: Any) -> bool:
    """ONNX Runtime's Where knows of no truth values among what it chooses from."""
    return scalar_type(g.original_node.output()) == "Bool"


def _either(g: Any, input: Any, other: Any, *_: Any) -> Any:
    """add(Tensor self, Tensor other, *, Scalar alpha), whose ONNX form takes no truth values."""
    return g.op("Or", input, other)


def _makes_integers(g: Any, *_: Any) -> bool:
    """The exporter writes bitwise operators for truth values only."""
    return scalar_type(g.original_node.output()) != "Bool"


def _is_bounded_by_tensors(g: Any, input: Any, *bounds: Any) -> bool:
    """clamp(Tensor self, Tensor? min, Tensor? max): no gradient flows to the bounds."""
    return any(is_tensor(bound) and constant_of(bound) is None for bound in bounds)


def _rounds(g: Any, input: Any, other: Any, *mode: Any) -> bool:
    """div(Tensor self, Tensor other, *, str? rounding_mode)"""
    return bool(mode)


def _shares_out_a_size(g: Any, input: Any, other: Any) -> bool:
    """floor_divide(Tensor self, Tensor other): ONNX divides towards zero, and dies of a zero."""
    parts = constant_of(other)
    return isinstance(parts, int) and parts > 0 and _is_made_of_sizes(input)


def _is_made_of_sizes(value: Any) -> bool:
    node = value.node()
    if node.kind() == "onnx::Gather":
        return bool(next(node.inputs()).node().kind() == "onnx::Shape")
    if node.kind() in ("onnx::Add", "onnx::Mul", "onnx::Div"):
        return all(map(_is_made_of_sizes, node.inputs()))
    constant = constant_of(value)
    return isinstance(constant, int) and constant >= 0


def _quotient(g: Any, input: Any, other: Any) -> Any:
    return g.op("Div", input, other)


def _has_other_exponents(g: Any, input: Any, exponent: Any) -> bool:
    """pow(Tensor self, Tensor exponent): Pow has a gradient for one exponent, which must not be 0:
    that of 0 to the power of 0 is no number to it."""
    return is_tensor(exponent) and constant_of(exponent) in (None, 0)


def _is_no_gelu(g: Any, input: Any) -> bool:
    """erf(Tensor self): of what is not a number it is 1 to ONNX Runtime. A gelu that is written by
    hand, which ONNX Runtime finds, multiplies with that once more."""
    scaled = next(g.original_node.inputs()).node()
    if scaled.kind() not in ("aten::div", "aten::mul"):
        return True
    uses = (use.user for use in next(scaled.inputs()).uses())
    return not any(user.kind() == "aten::mul" and user != scaled for user in uses)


OPERATORS = (
    *as_torch("erf", when=_is_no_gelu, keeps="inputs"),
    # No gradient is a number where one of the two is none; to ONNX Runtime the other's is.
    *as_torch("maximum minimum", keeps="inputs"),
    *as_graph("add", _either, when=_makes_truths),
    *as_torch("clamp clamp_min clamp_max", when=_is_bounded_by_tensors),
    *as_torch("div", when=_rounds),
    *as_torch("pow", when=_has_other_exponents),
    *as_torch("floor_divide heaviside float_power"),
    *as_graph("floor_divide", _quotient, when=_shares_out_a_size),
    *as_torch("where masked_fill", when=_is_broadcast, keeps="inputs"),
    # The exporter takes the last underline of `__and__` for that of an operator in place.
    *as_torch("__and_ __or_ __xor_", when=_makes_integers),
    *as_torch("bitwise_and bitwise_or bitwise_xor bitwise_not", when=_makes_integers),
    *as_torch("where masked_fill masked_scatter", when=_makes_truths),
    *as_torch("atan2 hypot copysign xlogy logaddexp logaddexp2 fmod remainder"),
    *as_torch("lgamma digamma erfinv erfc logit sinc"),
    *as_torch("sinh cosh tan asin acos atan asinh acosh atanh"),
    *as_torch("threshold sign floor ceil round trunc frac"),
    *as_torch("log1p expm1 exp2 log2 log10 rsqrt"),
    # Below 1.2e-38 ONNX Runtime's logarithm of many numbers is -87.3, and their root is zero.
    *as_torch("log", keeps="inputs"),
    *as_torch("sqrt", keeps="outputs"),
)
