"""The modules behind a wrapper: flattened, looked through, and what rules them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as module_internals
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy

from .distribution import Undistributed, objection, stand_in_for
from .reasons import Reason

HOOK_TABLES = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)
_GLOBAL_HOOKS = tuple(
    getattr(module_internals, name)
    for name in (
        "_global_forward_hooks",
        "_global_forward_pre_hooks",
        "_global_backward_hooks",
        "_global_backward_pre_hooks",
    )
    if hasattr(module_internals, name)
)
# These hooks compute a weight from parameters: they belong to the model and are traced with it.
_TRACED_HOOKS = ("torch.nn.utils.",)
_DISTRIBUTED = (
    ("DataParallel", "DataParallel splits each batch over devices"),
    ("DistributedDataParallel", "DistributedDataParallel inside of a module synchronises there"),
    ("FullyShardedDataParallel", "FullyShardedDataParallel shards the parameters"),
    ("DeepSpeedEngine", "DeepSpeed runs forward and backward in its own way"),
)


def original(module: Any) -> Any:
    """The module that the user built, without what wraps it to run it in another way.

    torch.compile, ORTModule and a Fabric that adds nothing are left out; DistributedDataParallel,
    whose part is played around the step, gives way to a stand-in.
    """
    if isinstance(module, nn.Module):
        inner = module.__dict__.get("_modules", {})
        compiled = inner.get("_orig_mod")
        if compiled is not None:
            return original(compiled)
        if type(module).__name__ == "_FabricModule" and _adds_nothing(module):
            return original(inner["_forward_module"])
        if type(module).__name__ == "ORTModule" and hasattr(module, "_torch_module"):
            return original(module.module)
        if isinstance(module, DistributedDataParallel) and objection(module) is None:
            return stand_in_for(module, original(module.module))
    return module


def _adds_nothing(fabric_module: nn.Module) -> bool:
    """Fabric on one device in full precision: its forward only checks who calls backward."""
    inner = fabric_module.__dict__["_modules"]
    strategy = fabric_module.__dict__.get("_strategy")
    precision = getattr(strategy, "precision", None)
    plain = type(precision).__name__ == "Precision"
    return plain and inner.get("_forward_module") is inner.get("_original_module") is not None


def flatten(roots: Sequence[nn.Module]) -> tuple[nn.Module, ...]:
    """Every module of the trees under `roots`, each once, parents first."""
    seen: dict[int, nn.Module] = {}
    for root in roots:
        for module in root.modules():
            seen.setdefault(id(module), module)
    return tuple(seen.values())


def obstacle(root: nn.Module) -> Reason | None:
    """What in the tree under `root` ONNX Runtime cannot stand in for, None if nothing."""
    for name, module in root.named_modules():
        where = f"{name or 'model'} ({type(module).__name__})"
        text = objection(module)
        if text is not None:
            return Reason(f"{where}: {text}")
        for marker, text in _DISTRIBUTED:
            if any(base.__name__ == marker for base in type(module).__mro__):
                return Reason(f"{where}: {text}")
        if isinstance(module, torch.jit.ScriptModule):
            return Reason(f"{where}: a scripted module hides what it computes")
        if any(map(is_lazy, module._parameters.values())):
            return Reason(f"{where}: its first call makes its parameters")
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
            if module.sparse:
                return Reason(f"{where}: the gradient of its weight is sparse (sparse=True)")
            if module.max_norm is not None:
                return Reason(f"{where}: its forward writes to its weight (max_norm)")
        if original(module) is not module:
            return Reason(f"{where}: it is compiled, inside of a module that is not")
        for hook in _hooks(module):
            if not _is_traced(hook):
                text = f"{where} has a hook, {_name(hook)}, which a graph would not call"
                return Reason(text)
    if sum(isinstance(module, Undistributed) for module in root.modules()) > 1:
        # Their order is the order in which a step calls them, and must be that of every rank.
        return Reason("several DistributedDataParallel models broadcast their buffers in turn")
    if any(_GLOBAL_HOOKS):
        return Reason("hooks on all modules are registered, which a graph would not call")
    return None


def hook_tables(modules: Sequence[nn.Module]) -> tuple[Any, ...]:
    """Every table that a hook can be registered in."""
    own = [table for module in modules for table in _tables(module)]
    return (*own, *_GLOBAL_HOOKS)


def sets_attributes_by_hook(module: nn.Module) -> bool:
    """Whether a traced hook (weight norm, pruning) sets attributes of `module` in forward."""
    return any(_is_traced(hook) for hook in _hooks(module))


def set_by_hooks(module: nn.Module) -> frozenset[str]:
    """The attributes of `module` that its traced hooks set anew in each forward."""
    names = (
        getattr(hook, "name", None) or getattr(hook, "_tensor_name", None)
        for hook in _hooks(module)
        if _is_traced(hook)
    )
    return frozenset(name for name in names if name)


def _tables(module: nn.Module) -> Iterator[Any]:
    for name in HOOK_TABLES:
        table = module.__dict__.get(name)
        if table is not None:
            yield table


def _hooks(module: nn.Module) -> Iterator[Any]:
    for table in _tables(module):
        yield from table.values()


def _is_traced(hook: Any) -> bool:
    return (type(hook).__module__ + ".").startswith(_TRACED_HOOKS)


def _name(hook: Any) -> str:
    return str(getattr(hook, "__qualname__", type(hook).__qualname__))
