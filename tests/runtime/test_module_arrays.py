"""NumPy arrays as arguments: what a graph holds of them is what they hold at each call."""

from __future__ import annotations

import numpy
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins


class OfNodes(nn.Module):
    """The loss of some nodes of a graph, as scripts of graph networks choose them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, labels: Tensor, chosen: numpy.ndarray) -> Tensor:
        logits = self.model(features)
        return F.cross_entropy(logits[chosen], labels[chosen])


class Counting(OfNodes):
    """A loss that counts its calls in an array that it is given."""

    def forward(self, features: Tensor, labels: Tensor, chosen: numpy.ndarray) -> Tensor:
        chosen += 1
        return F.cross_entropy(self.model(features), labels)


def nodes() -> tuple[Tensor, Tensor]:
    return torch.randn(12, 8), torch.randint(4, (12,))


def of_nodes(kind: type[nn.Module] = OfNodes) -> Twins:
    return Twins(nn.Linear(8, 4), kind=kind)


def test_indices_that_stay_train_on_ort() -> None:
    twins, chosen = of_nodes(), numpy.array([0, 2, 3, 7])
    for _ in range(6):
        twins.step(*nodes(), chosen)
    assert twins.ran_on_ort() == 4


def test_each_of_several_arrays_has_a_graph() -> None:
    twins = of_nodes()
    splits = [numpy.array([0, 2, 3]), numpy.array([1, 5, 8]), numpy.arange(12) % 2 == 0]
    for _ in range(4):
        for chosen in splits:
            twins.step(*nodes(), chosen)
    assert twins.ran_on_ort() == 3 * 2


def test_an_array_that_the_script_writes_to_is_followed() -> None:
    twins, chosen = of_nodes(), numpy.array([0, 2, 3, 7])
    for first in (0, 0, 0, 5, 5, 5, 0, 5):
        chosen[0] = first
        twins.step(*nodes(), chosen)
    assert twins.ran_on_ort() == 4


def test_arrays_of_the_same_bytes_and_other_types_are_told_apart() -> None:
    twins = of_nodes()
    for _ in range(3):
        twins.step(*nodes(), numpy.array([1, 0, 1, 1] * 3, dtype=numpy.int8))
        twins.step(*nodes(), numpy.array([1, 0, 1, 1] * 3, dtype=numpy.bool_))


def test_arrays_that_never_come_again_export_nothing() -> None:
    twins = of_nodes()
    for count in range(12):
        twins.step(*nodes(), numpy.array([0, 2, count]))
    rows = twins.wrapper.report()["signatures"]
    assert {row["backend"] for row in rows} == {"eager"}
    assert "numpy.ndarray" in rows[-1]["reason"]


def test_a_forward_that_writes_to_its_array_runs_eagerly() -> None:
    twins = of_nodes(Counting)
    for _ in range(4):
        calls = numpy.zeros(2)
        twins.step(*nodes(), calls)
        assert calls[0] == 2  # of both twins
    assert twins.ran_on_ort() == 0
