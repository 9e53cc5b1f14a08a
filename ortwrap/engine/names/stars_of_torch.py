"""What `from torch.autograd import *` and the like give, of names that have to do with gradients.

What else they give changes from one PyTorch to the next. These are asked for wherever a gradient
would go unseen.
"""

from __future__ import annotations

from ortwrap.engine.names.imports import Imported

_GRAD_MODES = "enable_grad inference_mode no_grad"
_GIVEN = {
    module: frozenset(names.split())
    for module, names in {
        "torch": f"{_GRAD_MODES} vmap",
        "torch.autograd": f"{_GRAD_MODES} Function Variable backward detect_anomaly grad "
        "gradcheck gradgradcheck set_detect_anomaly set_grad_enabled",
        "torch.autograd.functional": "hessian hvp jacobian jvp vhp vjp",
        "torch.autograd.variable": "Variable",
        "torch.func": "functional_call functionalize grad grad_and_value hessian jacfwd jacrev "
        "jvp linearize vjp vmap",
        "torch.nn": "grad",
        "torch.nn.functional": "grad",
        "torch.optim": "",
        "torch.utils.data": "",
    }.items()
}
_NAMES = frozenset().union(*_GIVEN.values())


def is_given(star: Imported, name: str) -> bool | None:
    """A star import of a part of PyTorch gives a name; None where that is not known."""
    given = None if star.level else _GIVEN.get(".".join(star.path))
    return None if given is None or name not in _NAMES else name in given


def given_last(stars: list[Imported], name: str) -> str | None:
    """The dotted name that the last star import to give a name gives, if those behind are known."""
    for star in reversed(stars):
        given = is_given(star, name)
        if given is None:
            return None
        if given:
            return ".".join((*star.path, name))
    return None
