"""Steps that run on ONNX Runtime give what eager gives."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from twins import Twins, WithLoss, mlp

from ortwrap.runtime import ort_module


def batch(size: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(size, 8), torch.randint(0, 4, (size,))


@pytest.mark.parametrize(
    "criterion",
    [nn.CrossEntropyLoss(), F.cross_entropy, lambda out, y: F.cross_entropy(out, y)],
    ids=["module", "function", "lambda"],
)
def test_a_classifier_trains_on_ort(criterion: object) -> None:
    twins = Twins(mlp(8, 16, 4), criterion)
    for _ in range(5):
        twins.step(*batch())
    assert twins.backends == ["ort"]
    assert twins.ran_on_ort() == 4


def test_the_first_call_is_eager_and_the_second_is_not() -> None:
    twins = Twins(mlp(8, 4), nn.CrossEntropyLoss())
    assert "ORTModule" not in twins.step(*batch()).grad_fn.name()
    assert "ORTModule" in twins.step(*batch()).grad_fn.name()


def test_batches_of_other_sizes_use_the_same_graph() -> None:
    twins = Twins(mlp(8, 16, 4), nn.CrossEntropyLoss())
    for size in (6, 3, 7, 2):
        twins.step(*batch(size))
    assert twins.backends == ["ort"]


@pytest.mark.parametrize("layer", [nn.Linear(8, 8), nn.GRU(8, 8)], ids=["linear", "gru"])
def test_one_word_is_weighed_against_many(layer: nn.Module) -> None:
    # Where both sizes are variables, ONNX Runtime does not sum the gradient of the broadcast word.
    class Scores(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(9, 8)
            self.layer = layer

        def forward(self, both: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
            word, memory = both
            seen = self.layer(self.embedding(word))
            return (seen if torch.is_tensor(seen) else seen[0]).mul(memory).sum(dim=2)

    twins = Twins(Scores(), nn.MSELoss())
    for words in (1, 1, 6, 6, 1, 6):
        twins.step((torch.randint(0, 9, (words, 5)), torch.randn(6, 5, 8)), torch.randn(6, 5))
    assert twins.backends == ["ort", "ort"]
    assert twins.ran_on_ort() == 4


def test_double_precision_is_exact() -> None:
    # ORT's ReluGrad has no double kernel, its gradient of a mean a constant in single precision.
    twins = Twins(mlp(8, 1).double(), nn.MSELoss(reduction="sum"), lr=0.01)
    for _ in range(4):
        twins.step(torch.randn(5, 8).double(), torch.randn(5, 1).double(), tolerance=1e-9)
    assert twins.ran_on_ort() == 3


def test_accumulated_gradients_and_two_forwards_before_two_backwards() -> None:
    model = mlp(8, 16, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    first, second = batch(), batch()
    step(*first)
    expected = [F.cross_entropy(model(x), y) for x, y in (first, second)]
    (expected[0] / 2 + expected[1]).backward()
    wanted = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    losses = [step(*first), step(*second)]
    losses[1].backward()
    (losses[0] / 2).backward()
    for parameter, gradient in zip(model.parameters(), wanted):
        torch.testing.assert_close(parameter.grad, gradient)


Output = namedtuple("Output", ["loss", "logits"])


@dataclass
class Result:
    loss: torch.Tensor
    logits: torch.Tensor


class Structured(nn.Module):
    """Returns the loss in a container of the given kind."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: object, kind: str) -> object:
        logits = self.model(batch["x"])
        loss = F.cross_entropy(logits, batch["nested"][0])
        if kind == "dict":
            return {"loss": loss, "logits": logits.detach(), "size": 3}
        if kind == "namedtuple":
            return Output(loss, logits)
        if kind == "dataclass":
            return Result(loss, logits)
        return [loss, (None, logits.detach())]


@pytest.mark.parametrize("kind", ["dict", "namedtuple", "dataclass", "list"])
def test_structures_come_in_and_out_as_eager_has_them(kind: str) -> None:
    model = mlp(8, 4)
    step = ort_module(Structured, model)
    for _ in range(3):
        data, target = batch()
        given = {"x": data, "nested": [target, None]}
        mine, theirs = step(given, kind), Structured(model)(given, kind)
        assert type(mine) is type(theirs)
        if kind == "dataclass":
            mine, theirs = vars(mine), vars(theirs)
        torch.testing.assert_close(mine, theirs)
    assert step.report()["signatures"][0]["ort_calls"] == 2


class Batch:
    """A batch object as scripts write it."""

    def __init__(self, data: torch.Tensor, target: torch.Tensor) -> None:
        self.data, self.target = data, target


class TakesBatch(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> torch.Tensor:
        return F.cross_entropy(self.model(batch.data), batch.target)


def test_the_tensors_of_a_batch_object_are_inputs() -> None:
    twins = Twins(mlp(8, 4), kind=TakesBatch)
    for _ in range(4):
        twins.step(Batch(*batch()))
    assert twins.ran_on_ort() == 3


class PassesOn(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, ...]:
        loss = F.cross_entropy(self.model(data), target)
        return loss, target, loss


def test_an_argument_that_is_returned_is_the_same_object() -> None:
    step = ort_module(PassesOn, mlp(8, 4))
    for _ in range(3):
        data, target = batch()
        loss, returned, again = step(data, target)
        assert returned is target
        assert again is loss


class ReturnsConstants(nn.Module):
    """Returns what is made of no argument, or of their sizes alone, beside the loss."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        return {
            "loss": F.cross_entropy(self.model(data), target),
            "off": torch.tensor(0.0),
            "labels": torch.zeros(4, dtype=torch.long),
            "mask": torch.ones(len(data), 1, dtype=torch.bool),
            "like": torch.zeros_like(data) + 2,
        }


def test_constants_come_out_beside_the_loss() -> None:
    twins = Twins(mlp(8, 4), kind=ReturnsConstants)
    for _ in range(4):
        result = twins.step(*batch())
    assert twins.ran_on_ort() == 3
    assert [value.dtype for value in result.values()] == [
        *(torch.float32, torch.float32, torch.long, torch.bool, torch.float32)
    ]


def test_the_loss_may_be_changed_in_place() -> None:
    twins = Twins(mlp(8, 1), nn.MSELoss())
    for _ in range(3):
        data, target = torch.randn(4, 8), torch.randn(4, 1)
        twins.step(data, target)
    loss = twins.wrapper(torch.randn(4, 8), torch.randn(4, 1))
    loss /= 2
    loss.backward()


class TwoModels(nn.Module):
    def __init__(self, generator: nn.Module, critic: nn.Module) -> None:
        super().__init__()
        self.generator, self.critic = generator, critic

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        return -self.critic(self.generator(noise)).mean()


def test_a_frozen_module_gets_no_gradient_and_is_not_touched() -> None:
    generator, critic = mlp(4, 8), mlp(8, 1)
    critic.requires_grad_(False)
    step = ort_module(TwoModels, generator, critic)
    for _ in range(3):
        noise = torch.randn(5, 4)
        generator.zero_grad()
        step(noise).backward()
        mine = [p.grad.clone() for p in generator.parameters()]
        generator.zero_grad()
        TwoModels(generator, critic)(noise).backward()
        for gradient, parameter in zip(mine, generator.parameters()):
            torch.testing.assert_close(gradient, parameter.grad)
    assert all(p.grad is None for p in critic.parameters())
    assert step.report()["signatures"][0]["ort_calls"] == 2


def test_the_gradient_of_an_argument_reaches_what_made_it() -> None:
    class Critic(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.model(image).mean()

    generator, critic = nn.Linear(4, 8), mlp(8, 16, 1)
    step = ort_module(Critic, critic)
    for _ in range(3):
        noise = torch.randn(5, 4)
        generator.zero_grad()
        step(generator(noise)).backward()
        mine = generator.weight.grad.clone()
        generator.zero_grad()
        critic(generator(noise)).mean().backward()
        torch.testing.assert_close(mine, generator.weight.grad)
    assert step.report()["signatures"][0]["ort_calls"] == 2


class HalfUsed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(8, 4), nn.Linear(8, 4)

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        self.unused(data)
        return self.used(data)


def test_parameters_without_a_path_to_the_loss_keep_no_gradient() -> None:
    twins = Twins(HalfUsed(), nn.CrossEntropyLoss())
    for _ in range(4):
        twins.step(*batch())
    assert twins.model.unused.weight.grad is None
    assert twins.ran_on_ort() == 3


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_model_with_dropout_is_compared_with_dropout_off(dropout: float) -> None:
    model = mlp(8, 16, 4, last=[nn.Dropout(dropout)])
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    for _ in range(3):
        step(*batch()).backward()
    assert step.report()["signatures"][0]["ort_calls"] == 2


class Truncated(nn.Module):
    """A step of truncated back-propagation through time: the state carries a graph."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, data: torch.Tensor, hidden: torch.Tensor) -> tuple[torch.Tensor, ...]:
        hidden = torch.tanh(self.cell(data) + hidden)
        return hidden.pow(2).mean(), hidden


def test_a_state_that_carries_the_graph_of_earlier_calls() -> None:
    cell = nn.Linear(8, 8)
    step = ort_module(Truncated, cell)
    for _ in range(3):
        data = [torch.randn(4, 8) for _ in range(4)]
        found = []
        for run in (step, Truncated(cell)):
            hidden, total = torch.zeros(4, 8), torch.zeros(())
            for item in data:
                loss, hidden = run(item, hidden)
                total = total + loss
            cell.zero_grad()
            total.backward()
            found.append(cell.weight.grad.clone())
        torch.testing.assert_close(*found)
    assert sum(row["ort_calls"] for row in step.report()["signatures"]) > 6


class Norm(nn.Module):
    def __init__(self, wrap: object) -> None:
        super().__init__()
        self.layers = nn.Sequential(wrap(nn.Linear(8, 8)), nn.ReLU(), nn.Linear(8, 4))

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        return self.layers(data)


@pytest.mark.parametrize("wrap", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
@pytest.mark.filterwarnings("ignore")
def test_weights_that_are_computed_from_parameters(wrap: object) -> None:
    torch.manual_seed(1)
    model = Norm(wrap)
    torch.manual_seed(1)
    reference = Norm(wrap)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    optimizers = [torch.optim.SGD(one.parameters(), 0.1) for one in (model, reference)]
    for _ in range(4):
        data, target = batch()
        losses = [step(data, target), F.cross_entropy(reference(data), target)]
        torch.testing.assert_close(*losses)
        for loss, optimizer in zip(losses, optimizers):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert step.report()["signatures"][0]["ort_calls"] == 3


def test_a_carried_state_is_not_overwritten_by_the_backward() -> None:
    cell = nn.Linear(8, 8)
    step = ort_module(Truncated, cell)
    hidden, reference = torch.zeros(4, 8), torch.zeros(4, 8)
    for _ in range(5):
        data = torch.randn(4, 8)
        reference = Truncated(cell)(data, reference)[1].detach()
        loss, hidden = step(data, hidden)
        hidden = hidden.detach()
        loss.backward()
        torch.testing.assert_close(hidden, reference)
    assert step.report()["signatures"][0]["ort_calls"] == 4


def test_a_saturated_sigmoid_under_a_binary_cross_entropy_is_exact() -> None:
    model = mlp(8, 8, 1, last=[nn.Sigmoid()])
    with torch.no_grad():
        model[2].weight.mul_(16)
    twins = Twins(model, nn.BCELoss(), lr=1e-4)
    for _ in range(4):
        twins.step(3 * torch.randn(32, 8), torch.randint(0, 2, (32, 1)).float())
    assert twins.ran_on_ort() == 3
