"""What a step must not be, or hold, wherever it would be lifted."""

from __future__ import annotations

from collections.abc import Sequence

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.reasons.driven import check_drives_no_module
from ortwrap.engine.reasons.failures import check_no_handler_reads_half
from ortwrap.engine.reasons.inner_gradients import check_no_inner_gradient
from ortwrap.engine.reasons.looked_at_gradients import check_trains_more_than_its_input
from ortwrap.engine.reasons.measured import check_is_trained
from ortwrap.engine.reasons.own_ways import check_own_ways
from ortwrap.engine.reasons.second_order import check_first_order, check_graph_is_left_alone
from ortwrap.engine.reasons.self_tests import check_is_no_self_test
from ortwrap.engine.reasons.torch_optional import check_torch_is_required
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice


def check_step(group: Sequence[Sink], found: LossSlice, analyses: Analyses) -> None:
    """Look at a step by itself, before anything is planned.

    Raises:
        Refuse: it is none that ONNX Runtime should train, or could.
    """
    check_own_ways(found, analyses)
    check_drives_no_module(group, found, analyses)
    check_is_trained(found, analyses)
    check_is_no_self_test(found, analyses)
    check_trains_more_than_its_input(found, analyses)
    check_torch_is_required(analyses)
    check_first_order(found, analyses)
    check_graph_is_left_alone(found, analyses)
    check_no_inner_gradient(found, analyses)
    check_no_handler_reads_half(found, analyses)
