"""One exported graph: the ORTModule behind it, and the call of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any, Callable, Optional

import torch
from torch import Tensor, nn

from . import machine
from .branches import Branch, Branches
from .buffers import Kept, put_back
from .determinism import calls_without_chance
from .entry import GraphEntry
from .execution import autograd_function
from .given_twice import give_once
from .ladder import FIRST, Rung
from .operators.creation import making_apart
from .quiet import quiet
from .saved import read_in_backward

# What ORTModule puts before the names of the module's own parameters.
_PREFIX = "_original_module."
_DISABLED_OPTIMIZERS = "optimization.disable_specified_optimizers"
# It breaks graphs that add up several gradients of one weight: some raise, as with two LSTMCells
# that start from zeros, and some kill the process, as with a penalty in another precision.
_BROKEN_OPTIMIZERS = ("GemmSumFusion",)
# A module, a buffer of it that forward changes, and its place among the graph's inputs.
_State = tuple[nn.Module, Kept, Optional[int]]
_DEADLY = ("SoftmaxCrossEntropy", "NegativeLogLikelihoodLoss")


class Graph:
    """A training graph that ONNX Runtime runs.

    Attributes:
        seconds: how long the export took.
        left_out: which optimizations it does without, because ONNX Runtime breaks on them.
        names: the graph's inputs, in order.
        replaces: the buffers in whose place each call puts another tensor, by their tables.
        on_backward_error: is told what ONNX Runtime raises in a backward, if anyone is.
    """

    def __init__(self, manager: Any, seconds: float, rung: Rung = FIRST) -> None:
        """
        Args:
            manager: ORTModule's TrainingManager, with its graph built.
            seconds: how long that took.
            rung: how it was exported.
        """
        self._manager = manager
        processed = manager._graph_transition_manager._post_export_processed_model_info
        # ORTModule's own cache of parameters would outlive a parameter that is replaced.
        processed._buffer_for_ort_runs = None
        self.seconds = seconds
        self.left_out = str(rung)
        self.names: tuple[str, ...] = tuple(processed.onnx_graph_input_names)
        self._arguments = _argument_positions(processed)
        self._inputs: list[Any] = []
        self._entry: GraphEntry = manager._flattened_module._original_module
        self._state: list[_State] = []
        self.replaces: list[tuple[dict[str, Any], str]] = []
        self.on_backward_error: Callable[[BaseException], None] = _tell_nobody
        self.branches = Branches()
        function = autograd_function(manager, self._report, self._read_again(), self.branches)
        self._apply: Callable[..., Any] = function.apply

    def _report(self, error: BaseException) -> None:
        self.on_backward_error(error)

    def _read_again(self) -> list[int]:
        """The parameters and arguments that the backward half reads, by position."""
        read = read_in_backward(self.optimized_model.graph)
        watched = {name for name, _ in self._manager._flattened_module.named_parameters()}
        watched.update(self.names[position] for position, _ in self._arguments)
        return [at for at, name in enumerate(self.names) if name in read & watched]

    def tell_branches(self, known: Sequence[Branch], leaves: Sequence[str | int]) -> None:
        """Learns what each output depends on in eager.

        Args:
            known: what each depends on.
            leaves: what its leaves are: a parameter of the wrapper, or the index of an argument.
        """
        given: dict[str | int, int] = {index: position for position, index in self._arguments}
        for position, name in enumerate(self.names):
            given.setdefault(name.removeprefix(f"{_PREFIX}wrapper."), position)
        at = [given.get(leaf, -1) for leaf in leaves]
        self.branches.tell(
            [Branch(frozenset(at[leaf] for leaf in one.leaves), one.results) for one in known]
        )

    @property
    def optimized_model(self) -> Any:
        """The forward and backward graph as ONNX Runtime executes it (an onnx.ModelProto)."""
        return self._manager._onnx_models.optimized_model

    def gathers_labels(self) -> bool:
        """Whether label sparsity is on: ignored labels are dropped before the last layer."""
        nodes = self.optimized_model.graph.node
        chosen = (b"::valid_rows_", b"::counting_rows_")
        parts = (part for node in nodes for part in node.attribute)
        return any(name in part.s for part in parts for name in chosen)

    def holds_deadly_loss(self) -> bool:
        """Whether a loss is ONNX Runtime's own, which some labels kill with the process."""
        nodes = self.optimized_model.graph.node
        return any(node.op_type.startswith(_DEADLY) for node in nodes)

    def fixes_classes(self) -> bool:
        """Whether the number of classes of every such loss is the same for every batch.

        The scores of a batch against itself have as many classes as the batch has rows.
        """
        graph = self.optimized_model.graph
        shapes = {value.name: value.type.tensor_type.shape.dim for value in graph.value_info}
        scores = [
            shapes.get(node.input[0], ())
            for node in graph.node
            if node.op_type.startswith(_DEADLY) and not node.op_type.endswith("Grad")
        ]
        return all(len(sizes) > 1 and sizes[1].dim_value > 0 for sizes in scores)

    @contextlib.contextmanager
    def without_chance(self) -> Iterator[bool]:
        """Calls inside drop nothing and draw constants.

        Yields:
            Whether that can be had; if not, calls inside are as random as ever.
        """
        from .calm_graphs import graph_without_chance

        manager, models = self._manager, self._manager._onnx_models
        model, agent = models.optimized_model, manager._execution_agent
        calm = graph_without_chance(model)
        if calm is None:
            yield False
            return
        try:
            models.optimized_model = calm
            with quiet():
                manager._create_execution_agent()
            with calls_without_chance():
                yield True
        finally:
            models.optimized_model, manager._execution_agent = model, agent

    @property
    def wrapper(self) -> nn.Module:
        """The instance of the user's wrapper class that was exported."""
        return self._entry.wrapper

    def bind(self) -> dict[str, Any] | None:
        """Looks up the parameters and buffers of the modules as they are now, by name.

        Returns:
            None if a module is gone that held one which the graph writes to.
        """
        modules = dict(self.wrapper.named_modules()) if self._entry.kept else {}
        owners = [modules.get(one.owner) for one in self._entry.kept]
        if not all(map(_has_buffer, owners, self._entry.kept)):
            return None
        flattened = self._manager._flattened_module
        named: dict[str, Any] = dict(flattened.named_parameters())
        named.update(flattened.named_buffers())
        self._inputs = [named.get(name) for name in self.names]
        positions = {name: position for position, name in enumerate(self.names)}
        self._state = [
            (
                self.wrapper.get_submodule(one.owner),
                one,
                positions.get(f"{_PREFIX}wrapper.{one.full_name}"),
            )
            for one in self._entry.kept
        ]
        self.replaces = [
            (owner._buffers, one.name) for owner, one, _ in self._state if one.replaced
        ]
        return {name[len(_PREFIX) :]: tensor for name, tensor in named.items()}

    def unbind(self) -> None:
        """Lets go of parameters and buffers."""
        self._inputs = []
        self._state = []
        self.replaces = []

    def __call__(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Runs the forward half; gradients flow back through torch's autograd.

        Raises:
            Exception: whatever ONNX Runtime raises.
        """
        # Another thread may call it at the same time.
        inputs = self._inputs.copy()
        for position, index in self._arguments:
            inputs[position] = tensors[index]
        outputs: tuple[Tensor, ...] = self._apply(*self._given(inputs))
        return self._without_state(outputs) if self._state else outputs

    def _given(self, inputs: list[Any]) -> list[Any]:
        """The inputs, with copies of buffers that are written to before a backward reads them."""
        written = [place for _, one, place in self._state if place is not None and not one.replaced]
        if not written:
            return inputs
        given = list(inputs)
        for position in written:
            given[position] = inputs[position].clone()
        return given

    def _without_state(self, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The outputs of the user's step; those after them go into their buffers."""
        first = len(outputs) - len(self._state)
        for (owner, one, position), value in zip(self._state, outputs[first:]):
            buffer = put_back(owner, one, value)
            if position is not None:
                self._inputs[position] = buffer
        return outputs[:first]


def export(
    entry: GraphEntry, tensors: Sequence[Tensor], untrained: frozenset[str], rung: Rung = FIRST
) -> Graph:
    """Exports `entry` and builds its training graph.

    Args:
        entry: the module to export, in the modes in which it is to train.
        tensors: an example of its inputs.
        untrained: names of the parameters of `entry` that get no gradient in eager.
        rung: which optimizations to leave out.

    Raises:
        Exception: whatever the exporter or ONNX Runtime raises.
    """
    machine.keep_freed_memory()
    started = time.perf_counter()
    with quiet(), making_apart(rung.apart):
        manager = _training_manager(entry)
        _leave_untrained(manager, untrained)
        _configure_sessions(manager, rung)
        _build(manager, tensors)
    return Graph(manager, time.perf_counter() - started, rung)


def _training_manager(entry: GraphEntry) -> Any:
    """ORTModule's manager of the training graph, set up so that it raises what goes wrong."""
    from onnxruntime.training import ortmodule
    from onnxruntime.training.ortmodule import DebugOptions, LogLevel, ORTModule, _fallback

    never = _fallback._FallbackPolicy.FALLBACK_DISABLE
    wrapped = ORTModule(entry, DebugOptions(log_level=LogLevel.ERROR))
    problem = wrapped._fallback_manager._exception or ortmodule._FALLBACK_INIT_EXCEPTION
    if problem is not None:
        raise problem
    wrapped._fallback_manager.policy = never
    manager = wrapped._torch_module._execution_manager(True)
    # Training is the mode of the graph; the modules keep theirs, see GraphEntry.train.
    manager._flattened_module.training = True
    options = manager._runtime_options
    options.deepcopy_before_model_export = False
    options.fallback_policy = never
    # The memory report builds the whole session twice, for a table that nobody reads here.
    manager._runtime_inspector.memory_ob._is_enabled = False
    return manager


def _build(manager: Any, tensors: Sequence[Tensor]) -> None:
    """Exports and builds the training graph, and stops before it runs.

    The labels of this batch have not been looked at yet: they could kill the process.
    """
    function, manager._forward_class = manager._forward_class, _NotYet
    try:
        with _ones_are_fixed():
            manager.forward(*tensors)
    except _Built:
        pass
    finally:
        manager._forward_class = function


@contextlib.contextmanager
def _ones_are_fixed() -> Iterator[None]:
    """Sizes of 1 are no variables of a graph exported inside: another size is another signature.

    ORTModule makes every size one. To ONNX Runtime two variables of different names never
    broadcast, so that a gradient which has to be summed over such a dimension was left as it is.
    """
    from onnxruntime.training.ortmodule import _io

    parse = _io.parse_inputs_for_onnx_export

    def parse_and_fix(*args: Any, **kwargs: Any) -> Any:
        info = parse(*args, **kwargs)
        names = info.onnx_graph_input_names
        for name, sizes in zip(names, info.onnx_graph_input_shapes):
            axes = info.onnx_graph_input_dynamic_axes_map.get(name, {})
            for axis in [axis for axis in axes if sizes[axis] == 1]:
                del axes[axis]
        return info

    _io.parse_inputs_for_onnx_export = parse_and_fix
    try:
        yield
    finally:
        _io.parse_inputs_for_onnx_export = parse


class _Built(BaseException):
    """The graph is built; no `Exception`, so that ORTModule does not take it for a failure."""


class _NotYet:
    """Stands in for the autograd function that runs the graph."""

    @staticmethod
    def apply(*inputs: Any) -> None:
        raise _Built


def _leave_untrained(manager: Any, untrained: frozenset[str]) -> None:
    """Builds no gradient for parameters that eager gives none.

    ORTModule would return zeros, which weight decay and momentum treat otherwise than None.
    """
    transition = manager._graph_transition_manager
    process = transition.get_post_processed_model

    def without_untrained(args: Any, kwargs: Any) -> Any:
        changed, info = process(args, kwargs)
        info.onnx_graph_input_names_require_grad = [
            name
            for name in info.onnx_graph_input_names_require_grad
            if name[len(_PREFIX) :] not in untrained
        ]
        if changed:
            give_once(
                info._post_export_processed_model.graph, info.onnx_graph_input_names_require_grad
            )
        return changed, info

    transition.get_post_processed_model = without_untrained


def _configure_sessions(manager: Any, rung: Rung) -> None:
    """Gives ONNX Runtime as many threads as torch has, and lets them sleep when idle.

    Its threads otherwise spin between two nodes on the cores that torch's own threads need for the
    optimizer and for operators that run in torch.
    """
    if not rung.moved:
        chosen = manager._runtime_options
        chosen.enable_compute_optimizer = False
        # They are parts of it.
        chosen.enable_label_sparse_optimizer = chosen.enable_embedding_sparse_optimizer = False
    configure = manager._get_session_config

    def configured() -> Any:
        options, providers, provider_options = configure()
        options.intra_op_num_threads = torch.get_num_threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4
        left_out = ";".join((*_BROKEN_OPTIMIZERS, *rung.without))
        options.add_session_config_entry(_DISABLED_OPTIMIZERS, left_out)
        if not rung.optimized:
            options.graph_optimization_level = type(
                options.graph_optimization_level
            ).ORT_DISABLE_ALL
        return options, providers, provider_options

    manager._get_session_config = configured


def _has_buffer(owner: nn.Module | None, kept: Kept) -> bool:
    return owner is not None and owner._buffers.get(kept.name) is not None


def _tell_nobody(error: BaseException) -> None:
    """While a graph is being tried, what it raises is not the user's concern."""


def _argument_positions(processed: Any) -> tuple[tuple[int, int], ...]:
    """(position among the graph's inputs, index among the entry's tensors) of each argument."""
    own = set(processed.onnx_graph_input_names_user_defined)
    return tuple(
        (position, int(name.rsplit("_", 1)[1]))
        for position, name in enumerate(processed.onnx_graph_input_names)
        if name in own
    )
