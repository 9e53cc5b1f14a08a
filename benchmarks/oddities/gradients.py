"""Odd ways of gradients, precisions, and models that several steps share."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .play import STEPS, Make, Squared, Step, mlp, rows, script, state, train
from .stateful import Net


@script
def weights_tied_after_wrapping(make: Make) -> Iterator[Any]:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(9, 6), nn.Linear(6, 9, bias=False)

        def forward(self, tokens: Tensor) -> Tensor:
            return F.cross_entropy(self.head(self.table(tokens)), tokens)

    def between(model: Any, index: int) -> None:
        if index == 2:
            model.head.weight = model.table.weight
        if index == 5:
            model.head.weight = nn.Parameter(model.table.weight.detach().clone())

    batch = lambda index: (torch.randint(0, 9, (8,)),)  # noqa: E731
    yield from train(make, Tied(), batch, between=between)


@script
def parameters_frozen_and_thawed(make: Make) -> Iterator[Any]:
    def between(model: Any, index: int) -> None:
        model[0].requires_grad_(index not in (2, 3))
        model[2].bias.requires_grad_(index != 5)

    yield from train(make, mlp(), kind=Squared, between=between)


@script
def parameters_that_come_and_go(make: Make) -> Iterator[Any]:
    class Grows(Net):
        def forward(self, x: Tensor) -> Tensor:
            out = self.last(self.first(x))
            scale = getattr(self, "scale", None)
            return (out if scale is None else out * scale).square().mean()

    def between(model: Any, index: int) -> None:
        if index == 2:
            model.scale = nn.Parameter(torch.full((3,), 2.0))
        if index == 5:
            del model.scale

    yield from train(make, Grows(), between=between)


@script
def layers_added_while_it_trains(make: Make) -> Iterator[Any]:
    def between(model: Any, index: int) -> None:
        if index in (2, 4):
            model.append(nn.Linear(3, 3))

    yield from train(make, mlp(), kind=Squared, between=between)


@script
def data_of_parameters_replaced(make: Make) -> Iterator[Any]:
    def between(model: Any, index: int) -> None:
        if index == 3:
            model[0].weight.data = torch.ones(8, 6) * 0.1
        if index == 5:
            model[2].weight.data = model[2].weight.data.t().contiguous().t()

    yield from train(make, mlp(), kind=Squared, between=between)


@script
def two_towers_of_one_model(make: Make) -> Iterator[Any]:
    class Siamese(Net):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            left, right = (self.last(self.first(one).relu()) for one in (x, y))
            return F.cosine_similarity(left, right).mean() + F.pairwise_distance(left, right).mean()

    yield from train(make, Siamese(), lambda index: (rows(), rows()))


@script
def a_straight_through_function(make: Make) -> Iterator[Any]:
    class Round(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
            ctx.scale = scale
            return (x * scale).round() / scale

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Any:
            return gradient.clamp(-0.01, 0.01), None

    class Rounds(Net):
        def forward(self, x: Tensor) -> Tensor:
            return self.last(Round.apply(self.first(x), 4.0)).square().mean()

    yield from train(make, Rounds())


@script
def a_function_with_two_outputs_and_saved_tensors(make: Make) -> Iterator[Any]:
    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, y: Tensor) -> Any:
            ctx.save_for_backward(x, y)
            return x * y, x + y

        @staticmethod
        def backward(ctx: Any, left: Tensor, right: Tensor) -> Any:
            x, y = ctx.saved_tensors
            return left * y + right, left * x + 2 * right

    class Uses(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            left, right = Both.apply(hidden, hidden.tanh())
            return self.last(left).square().mean() + right.square().mean()

    yield from train(make, Uses())


@script
def a_function_that_writes_in_place(make: Make) -> Iterator[Any]:
    class Doubles(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            return 2 * gradient

    class Uses(Net):
        def forward(self, x: Tensor) -> Tensor:
            return self.last(Doubles.apply(self.first(x) + 0)).square().mean()

    yield from train(make, Uses())


@script
def a_gradient_reversed(make: Make) -> Iterator[Any]:
    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
            ctx.factor = factor
            return x.view_as(x)

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Any:
            return -ctx.factor * gradient, None

    class Adversary(Net):
        def forward(self, x: Tensor, factor: float) -> Tensor:
            hidden = self.first(x)
            return hidden.square().mean() + self.last(Reverse.apply(hidden, factor)).square().mean()

    yield from train(make, Adversary(), lambda index: (rows(), 0.1 * index))


def _checkpointed(reentrant: bool) -> nn.Module:
    class Checkpointed(Net):
        def forward(self, x: Tensor) -> Tensor:
            inner = nn.Sequential(self.first, nn.Dropout(0.2), nn.Tanh())
            out = checkpoint(inner, x, use_reentrant=reentrant)
            return self.last(out).square().mean()

    return Checkpointed()


@script
def checkpoints(make: Make) -> Iterator[Any]:
    yield from train(make, _checkpointed(False))


@script
def reentrant_checkpoints(make: Make) -> Iterator[Any]:
    batch = lambda index: (rows().requires_grad_(),)  # noqa: E731
    yield from train(make, _checkpointed(True), batch)


@script
def gradients_stopped_in_four_ways(make: Make) -> Iterator[Any]:
    class Stops(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            with torch.no_grad():
                quiet = self.last(hidden)
            with torch.set_grad_enabled(False):
                other = self.first(hidden)
            loss = (self.last(hidden) - quiet).square().mean() + (hidden * other).mean()
            return loss + (hidden * hidden.data).mean() + (hidden.detach() * hidden).sum()

    yield from train(make, Stops())


@script
def gradients_of_the_input(make: Make) -> Iterator[Any]:
    step = make(Squared, model := mlp())
    for _ in range(STEPS):
        x = rows().requires_grad_()
        (found,) = torch.autograd.grad(step(x), x)
        loss = step((x + 0.1 * found.sign()).detach())
        model.zero_grad()
        loss.backward()
        yield loss, found, state(model)


@script
def a_penalty_on_gradients_inside_of_forward(make: Make) -> Iterator[Any]:
    class Penalty(Net):
        def forward(self, x: Tensor) -> Tensor:
            x = x.detach().requires_grad_()
            out = self.last(self.first(x).tanh()).sum()
            (found,) = torch.autograd.grad(out, x, create_graph=True)
            return (found.norm(dim=1) - 1).square().mean() + out.square()

    yield from train(make, Penalty())


@script
def a_second_backward(make: Make) -> Iterator[Any]:
    step = make(Squared, model := mlp())
    for _ in range(5):
        loss = step(rows())
        loss.backward(retain_graph=True)
        loss.backward()
        yield loss, state(model)


@script
def gradients_of_gradients(make: Make) -> Iterator[Any]:
    step = make(Squared, model := mlp())
    for _ in range(5):
        x = rows().requires_grad_()
        (found,) = torch.autograd.grad(step(x), x, create_graph=True)
        found.square().sum().backward()
        yield found, state(model)


@script
def two_losses_and_two_backwards(make: Make) -> Iterator[Any]:
    class Two(Net):
        def forward(self, x: Tensor) -> Any:
            hidden = self.first(x)
            return hidden.square().mean(), self.last(x).square().mean()

    step = make(Step, model := Two())
    for _ in range(5):
        one, two = step(rows())
        model.zero_grad()
        one.backward(retain_graph=True)
        two.backward()
        yield one, two, state(model)


@script
def losses_added_outside(make: Make) -> Iterator[Any]:
    step = make(Squared, model := mlp())
    for index in range(5):
        losses = [step(rows()) for _ in range(3)]
        penalty = sum(parameter.abs().sum() for parameter in model.parameters())
        ((losses[0] + losses[2]) / 2 + 0.01 * penalty).backward()
        yield losses, state(model)
        if index % 2:
            model.zero_grad(set_to_none=index == 1)


@script
def several_steps_share_a_model(make: Make) -> Iterator[Any]:
    class Absolute(Squared):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return self.model(*args, **kwargs).abs().sum()

    model = mlp()
    steps = [make(Squared, model), make(Absolute, model), make(Squared, model[0])]
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(5):
        for step in steps:
            optimizer.zero_grad()
            loss = step(rows())
            loss.backward()
            yield loss, state(model)
            optimizer.step()


@script
def evaluation_between_steps(make: Make) -> Iterator[Any]:
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 3))
    step = make(Squared, model)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(STEPS):
        model.train()
        loss = step(rows())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            yield loss, step(rows()), model(rows())
        with torch.inference_mode():
            yield (step(rows()).clone(), state(model))


@script
def no_gradient_where_nothing_trains(make: Make) -> Iterator[Any]:
    model = mlp()
    step = make(Squared, model)
    for index in range(STEPS):
        model.requires_grad_(index % 3 == 0)
        loss = step(rows())
        if loss.requires_grad:
            loss.backward()
        yield loss, loss.requires_grad, state(model)


@script
def the_model_goes_to_double(make: Make) -> Iterator[Any]:
    model = mlp()
    step = make(Squared, model)
    for index in range(STEPS):
        if index == 3:
            model.double()
        loss = step(rows().to(model[0].weight.dtype))
        model.zero_grad()
        loss.backward()
        yield loss, state(model)


@script
def precisions_mixed_by_hand(make: Make) -> Iterator[Any]:
    class Mixed(Net):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            hidden = self.first(x.float()).double() * y
            return self.last(hidden.float()).to(torch.float64).square().mean()

    yield from train(make, Mixed(), lambda index: (rows().half(), rows().double()))


@script
def a_model_in_bfloat16(make: Make) -> Iterator[Any]:
    batch = lambda index: (rows().bfloat16(),)  # noqa: E731
    yield from train(make, mlp().bfloat16(), batch, kind=Squared)


@script
def a_model_in_half_precision(make: Make) -> Iterator[Any]:
    yield from train(make, mlp().half(), lambda index: (rows().half(),), kind=Squared)


@script
def autocast_around_the_step(make: Make) -> Iterator[Any]:
    step = make(Squared, model := mlp())
    for index in range(STEPS):
        with torch.autocast("cpu", torch.bfloat16, enabled=index % 3 != 2):
            loss = step(rows())
        model.zero_grad()
        loss.backward()
        yield loss, state(model)


@script
def autocast_inside_of_forward(make: Make) -> Iterator[Any]:
    class Cast(Net):
        def forward(self, x: Tensor) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16):
                hidden = self.first(x)
            with torch.autocast("cpu", enabled=False):
                return self.last(hidden.float()).square().mean()

    yield from train(make, Cast())


@script
def complex_parameters(make: Make) -> Iterator[Any]:
    class Complex(Net):
        def __init__(self) -> None:
            super().__init__()
            self.phase = nn.Parameter(torch.randn(6, dtype=torch.cfloat))

        def forward(self, x: Tensor) -> Tensor:
            return (self.first(x) * self.phase).abs().mean() + self.last(x).square().mean()

    yield from train(make, Complex())


@script
def rotary_positions_by_complex_numbers(make: Make) -> Iterator[Any]:
    class Rotary(Net):
        def forward(self, x: Tensor) -> Tensor:
            pairs = torch.view_as_complex(self.first(x).reshape(len(x), 3, 2))
            angles = torch.outer(torch.arange(len(x)).float(), torch.tensor([1.0, 0.1, 0.01]))
            turned = pairs * torch.polar(torch.ones_like(angles), angles)
            return self.last(torch.view_as_real(turned).flatten(1)).square().mean()

    yield from train(make, Rotary(), lambda index: (rows(4 + index % 2),))


@script
def copies_of_a_model_train_on(make: Make) -> Iterator[Any]:
    model = mlp()
    yield from train(make, model, kind=Squared, steps=3)
    other = copy.deepcopy(model)
    for one in (model, other, model):
        yield from train(make, one, kind=Squared, steps=2)
