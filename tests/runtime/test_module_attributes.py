"""What forward leaves in attributes is what eager leaves there, on ONNX Runtime."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins, close

from ortwrap.runtime import compare, guards, ort_module
from ortwrap.runtime.watch import Watch


class Net(nn.Module):
    """Two layers, and whatever a test adds."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 3)


class Step(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x).square().mean()


class Divergence(Net):
    """A term of the loss, as variational autoencoders keep it."""

    kl: Tensor

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        self.kl = hidden.square().mean() - hidden.mean()
        return self.last(hidden)


class WithDivergence(Step):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 0.3 * self.model.kl


class Recurrent(nn.Module):
    """A state that the next call reads, as in truncated backpropagation through time."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(6, 5, batch_first=True), nn.Linear(5, 3)
        self.hidden: Any = None

    def forward(self, x: Tensor) -> Tensor:
        output, (h, c) = self.rnn(x, self.hidden)
        self.hidden = (h.detach(), c.detach())
        return self.head(output)


class DetachesWhatItReads(Recurrent):
    def forward(self, x: Tensor) -> Tensor:
        before = None if self.hidden is None else tuple(h.detach() for h in self.hidden)
        output, self.hidden = self.rnn(x, before)
        return self.head(output)


class KeepsWeights(Net):
    """Attention weights and a dictionary, to look at after the step."""

    seen: Any = None

    def forward(self, x: Tensor) -> Tensor:
        weights = (x @ x.T).softmax(-1)
        self.weights = weights
        self.seen = {"input": x, "hidden": [hidden := self.first(weights @ x)]}
        return self.last(hidden)


def held(model: nn.Module) -> dict[str, Any]:
    """The tensors in attributes of the model itself, containers opened."""
    return {name: value for name, value in vars(model).items() if not name.startswith("_")}


def same(mine: Any, theirs: Any, name: str) -> None:
    assert type(mine) is type(theirs), name
    if isinstance(mine, Tensor):
        assert mine.requires_grad == theirs.requires_grad, name
        close(mine, theirs, 1e-5, name)
    elif isinstance(mine, dict):
        assert list(mine) == list(theirs)
        for key in mine:
            same(mine[key], theirs[key], f"{name}.{key}")
    elif isinstance(mine, (list, tuple)):
        for index, pair in enumerate(zip(mine, theirs)):
            same(*pair, f"{name}.{index}")


def train(twins: Twins, *batches: Tensor) -> None:
    for x in batches:
        twins.step(x)
        same(held(twins.model), held(twins.reference), "held")


def rows(count: int = 5) -> Tensor:
    return torch.randn(count, 6)


@pytest.mark.parametrize("kind", [Step, WithDivergence])
def test_a_term_of_the_loss_in_an_attribute_trains_on_ort(kind: type[nn.Module]) -> None:
    twins = Twins(Divergence(), kind=kind)
    train(twins, *map(rows, (5, 5, 5, 4, 5, 7, 5)))
    assert twins.ran_on_ort() == 4
    assert twins.backends == ["ort", "eager"], "one graph, and the first call of all"


def test_a_term_that_is_added_outside_of_the_step_trains() -> None:
    twins = Twins(Divergence(), kind=Step)
    for x in map(rows, (5, 5, 5, 4, 5, 5)):
        for model, step, optimizer in (
            (twins.reference, Step(twins.reference), twins.reference_optimizer),
            (twins.model, twins.wrapper, twins.optimizer),
        ):
            optimizer.zero_grad()
            (step(x) + 0.3 * model.kl).backward()
            optimizer.step()
        twins._compare(1e-5)
    assert twins.ran_on_ort() == 3


@pytest.mark.parametrize("kind", [Recurrent, DetachesWhatItReads])
def test_a_state_that_the_next_call_reads_is_kept_on_ort(kind: type[Recurrent]) -> None:
    twins = Twins(kind(), kind=Step)
    for _ in range(4):
        train(twins, *torch.randn(5, 4, 7, 6))
        # A new sequence, whose first call begins without a state.
        twins.model.hidden = twins.reference.hidden = None
    assert twins.ran_on_ort() >= 13
    assert set(twins.backends) == {"ort", "eager"}


def test_a_state_of_another_batch_size_is_followed() -> None:
    twins = Twins(Recurrent(), kind=Step)
    for count in (4, 3, 4, 3):
        twins.model.hidden = twins.reference.hidden = None
        train(twins, *torch.randn(4, count, 7, 6))
    assert twins.ran_on_ort() >= 8


def test_a_state_that_is_not_detached_raises_as_it_does_eagerly() -> None:
    class Attached(Recurrent):
        def forward(self, x: Tensor) -> Tensor:
            output, self.hidden = self.rnn(x, self.hidden)
            return self.head(output)

    for make in (Step, lambda model: ort_module(Step, model)):
        step = make(Attached())
        step(torch.randn(4, 7, 6)).backward()
        with pytest.raises(RuntimeError, match="second"):
            step(torch.randn(4, 7, 6)).backward()


def test_whoever_sets_or_removes_the_attribute_is_followed() -> None:
    twins = Twins(Recurrent(), kind=Step)
    train(twins, *torch.randn(4, 4, 7, 6))
    state = (torch.ones(1, 4, 5), torch.ones(1, 4, 5))
    twins.model.hidden, twins.reference.hidden = state, state
    train(twins, torch.randn(4, 7, 6))
    assert twins.ran_on_ort() == 3
    twins = Twins(Divergence(), kind=WithDivergence)
    for _ in range(6):
        train(twins, rows())
        del twins.model.kl, twins.reference.kl
    assert twins.ran_on_ort() >= 2


def test_containers_of_tensors_are_kept() -> None:
    twins = Twins(KeepsWeights(), kind=Step)
    train(twins, *map(rows, (5, 5, 5, 4, 4, 7, 5)))
    assert twins.ran_on_ort() >= 3


def test_other_changes_of_attributes_run_eagerly() -> None:
    class Counts(Divergence):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return super().forward(x)

    class Writes(Recurrent):
        def forward(self, x: Tensor) -> Tensor:
            result = super().forward(x)
            self.hidden[0].mul_(0.5)
            return result

    class WritesLater(Recurrent):
        def forward(self, x: Tensor) -> Tensor:
            if self.hidden is None:
                return super().forward(x)
            output, _ = self.rnn(x, tuple(one.clone() for one in self.hidden))
            self.hidden[0].mul_(0.5)
            return self.head(output)

    twins = Twins(Counts(), kind=Step)
    train(twins, *map(rows, (5, 5, 5, 5)))
    assert twins.ran_on_ort() == 0
    assert any("forward sets calls" in reason for reason in twins.reasons)
    twins = Twins(Writes(), kind=Step)
    train(twins, *torch.randn(5, 4, 7, 6))
    twins = Twins(WritesLater(), kind=Step)
    train(twins, *torch.randn(5, 4, 7, 6))
    assert twins.ran_on_ort() == 0


def test_a_weight_of_a_hook_beside_it_hides_nothing() -> None:
    class Normed(Divergence):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.utils.weight_norm(self.first)
            # torch copies no model whose weight has been computed.
            self.first.weight = self.first.weight.detach()

    twins = Twins(Normed(), kind=WithDivergence)
    train(twins, *map(rows, (5, 5, 5, 5)))
    assert twins.ran_on_ort() == 2


def test_a_graph_that_is_proved_in_double_precision_is_given_the_state() -> None:
    twins = Twins(DetachesWhatItReads(), kind=Step)
    with mock.patch.dict(compare._TOLERANCE, {torch.float32: 0.0}):
        train(twins, *torch.randn(5, 4, 7, 6))
    rows_ = twins.wrapper.report()["signatures"]
    assert [row["proved_in_double"] for row in rows_ if row["backend"] == "ort"] == [True]


class Center(Net):
    """DINO's: a buffer that is another tensor after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(6))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        output = self.last(hidden - self.mean)
        self.mean = 0.9 * self.mean + 0.1 * hidden.detach().mean(0)
        return output


@pytest.mark.parametrize("kind", [Divergence, Center])
def test_what_each_step_replaces_is_not_looked_at_anew(
    kind: type[nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Watch] = []

    class CountedWatch(Watch):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(guards, "Watch", CountedWatch)
    twins = Twins(kind(), kind=Step)
    train(twins, *map(rows, [5] * 6))
    settled = len(made)
    train(twins, *map(rows, [5] * 6))
    assert len(made) == settled
    assert twins.ran_on_ort() >= 9


def test_a_buffer_that_one_graph_replaces_is_followed_by_another() -> None:
    twins = Twins(Center(), kind=Step)
    for dtype in (torch.float32, torch.float32, torch.float64, torch.float32, torch.float32):
        train(twins, rows(1), rows(5).to(dtype).float(), rows(1), rows(5))
    assert twins.backends == ["ort", "ort"]


def test_a_buffer_that_is_replaced_by_hand_between_two_steps_is_followed() -> None:
    twins = Twins(Center(), kind=Step)
    train(twins, *map(rows, [5] * 4))
    for model in (twins.model, twins.reference):
        model.mean = torch.full((6,), 0.5)
    train(twins, *map(rows, [5] * 3))
    assert F.mse_loss(twins.model.mean, twins.reference.mean) < 1e-8
