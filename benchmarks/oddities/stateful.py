"""Forwards that remember, count, branch and draw."""

from __future__ import annotations

import copy
import io
import pickle
import random
from collections.abc import Iterator
from typing import Any

import numpy
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .play import Make, Squared, Step, mlp, rows, script, state, train


class Net(nn.Module):
    """Two layers, and whatever a script adds."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 3)


@script
def a_python_counter_scales_the_loss(make: Make) -> Iterator[Any]:
    class Counter(Net):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return self.last(self.first(x)).square().mean() * self.calls

    yield from train(make, Counter())


@script
def a_counter_in_a_buffer_scales_the_loss(make: Make) -> Iterator[Any]:
    class Counter(Net):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return self.last(self.first(x)).square().mean() * self.calls

    yield from train(make, Counter())


@script
def a_counter_in_a_global_list(make: Make) -> Iterator[Any]:
    calls: list[int] = []

    class Counter(Net):
        def forward(self, x: Tensor) -> Tensor:
            calls.append(1)
            return self.last(self.first(x)).square().mean() * len(calls)

    yield from train(make, Counter())


class _Ema(Net):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("ema", torch.zeros(6))


@script
def an_average_kept_in_place(make: Make) -> Iterator[Any]:
    class Ema(_Ema):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            with torch.no_grad():
                self.ema.mul_(0.9).add_(0.1 * hidden.mean(0))
            return self.last(hidden - self.ema).square().mean()

    yield from train(make, Ema())


@script
def an_average_kept_by_assignment(make: Make) -> Iterator[Any]:
    class Ema(_Ema):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            self.ema = 0.9 * self.ema + 0.1 * hidden.detach().mean(0)
            return self.last(hidden - self.ema).square().mean()

    yield from train(make, Ema())


@script
def an_average_read_before_and_after_it_is_written(make: Make) -> Iterator[Any]:
    class Ema(_Ema):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            before = self.last(hidden + self.ema).square().mean()
            self.ema.copy_(0.5 * self.ema + hidden.detach().mean(0))
            return before + self.last(hidden * self.ema).square().mean()

    yield from train(make, Ema())


@script
def a_queue_of_keys_with_a_pointer(make: Make) -> Iterator[Any]:
    class Queue(Net):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("queue", torch.randn(6, 20))
            self.register_buffer("place", torch.zeros(1, dtype=torch.long))

        def forward(self, x: Tensor) -> Tensor:
            query, key = self.first(x), self.first(x.flip(0)).detach()
            loss = F.cross_entropy(
                query @ self.queue.clone(), torch.zeros(len(x), dtype=torch.long)
            )
            place = int(self.place)
            self.queue[:, place : place + len(x)] = key.T
            self.place[0] = (place + len(x)) % 20
            return loss + self.last(query).square().mean()

    yield from train(make, Queue())


@script
def a_codebook_moved_by_averages(make: Make) -> Iterator[Any]:
    class Codebook(Net):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("codes", torch.randn(7, 6))
            self.register_buffer("counts", torch.ones(7))

        def forward(self, x: Tensor) -> Any:
            hidden = self.first(x)
            chosen = torch.cdist(hidden, self.codes).argmin(1)
            found = self.codes[chosen]
            if self.training:
                with torch.no_grad():
                    hot = F.one_hot(chosen, 7).type_as(hidden)
                    self.counts.mul_(0.9).add_(hot.sum(0), alpha=0.1)
                    self.codes.mul_(0.9).add_((hot.T @ hidden) / self.counts[:, None], alpha=0.1)
            passed = hidden + (found - hidden).detach()
            loss = self.last(passed).square().mean() + F.mse_loss(hidden, found.detach())
            return loss, chosen

    yield from train(make, Codebook())


@script
def a_branch_on_data(make: Make) -> Iterator[Any]:
    class Branch(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x) if x.sum() > 0 else self.first(-x).relu()
            return self.last(hidden).square().mean()

    yield from train(make, Branch())


@script
def a_branch_on_the_mode_that_toggles(make: Make) -> Iterator[Any]:
    class Branch(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x) if self.training else self.first(-x).relu()
            return self.last(hidden).square().mean()

    yield from train(make, Branch(), between=lambda model, index: model.train(index % 3 != 1))


@script
def a_branch_on_a_warmup_attribute(make: Make) -> Iterator[Any]:
    class Branch(Net):
        warm = False

        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            return self.last(hidden.relu() if self.warm else hidden).square().mean()

    def between(model: nn.Module, index: int) -> None:
        model.warm = index >= 3

    yield from train(make, Branch(), between=between)


@script
def a_hidden_state_kept_on_the_module(make: Make) -> Iterator[Any]:
    class Memory(Net):
        hidden: Any = None

        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x) if self.hidden is None else self.first(x) + self.hidden
            self.hidden = hidden.detach()
            return self.last(hidden.tanh()).square().mean()

    yield from train(make, Memory())


@script
def a_hidden_state_carried_by_the_script(make: Make) -> Iterator[Any]:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.last = nn.LSTM(6, 5, batch_first=True), nn.Linear(5, 3)

        def forward(self, x: Tensor, carried: Any) -> Any:
            out, carried = self.lstm(x, carried)
            return self.last(out).square().mean(), carried

    model, carried = Recurrent(), None
    step = make(Step, model)
    for length in (4, 4, 3, 4, 5, 4):
        loss, new = step(torch.randn(2, length, 6), carried)
        model.zero_grad()
        loss.backward()
        yield loss, new, state(model)
        carried = tuple(one.detach() for one in new)


@script
def a_teacher_that_follows_the_model(make: Make) -> Iterator[Any]:
    class Taught(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.student = mlp()
            self.teacher = copy.deepcopy(self.student).requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                wanted = self.teacher(x)
            return F.mse_loss(self.student(x), wanted) + self.student(x).abs().mean()

    @torch.no_grad()
    def between(model: Any, index: int) -> None:
        for ours, theirs in zip(model.teacher.parameters(), model.student.parameters()):
            ours.lerp_(theirs, 0.3)

    yield from train(make, Taught(), between=between)


@script
def a_teacher_moved_inside_of_forward(make: Make) -> Iterator[Any]:
    class Taught(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.student = mlp()
            self.teacher = copy.deepcopy(self.student).requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                for ours, theirs in zip(self.teacher.parameters(), self.student.parameters()):
                    ours.mul_(0.9).add_(theirs, alpha=0.1)
                wanted = self.teacher(x)
            return F.mse_loss(self.student(x), wanted + 1)

    yield from train(make, Taught())


@script
def chance_of_python(make: Make) -> Iterator[Any]:
    class Depth(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x) if random.random() < 0.5 else x
            return self.last(hidden).square().mean() * float(numpy.random.rand() + 1)

    random.seed(3)
    numpy.random.seed(3)
    yield from train(make, Depth())


@script
def chance_of_torch_in_a_branch(make: Make) -> Iterator[Any]:
    class Depth(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x) if torch.rand(1).item() < 0.5 else x
            return self.last(hidden).square().mean()

    yield from train(make, Depth())


@script
def noise_and_masks_of_torch(make: Make) -> Iterator[Any]:
    class Noisy(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x + 0.1 * torch.randn_like(x))
            mask = (torch.rand(hidden.shape) > 0.3).float()
            kept = torch.bernoulli(torch.full_like(hidden, 0.7))
            return self.last(hidden * mask * kept).square().mean()

    yield from train(make, Noisy())


@script
def a_generator_of_its_own(make: Make) -> Iterator[Any]:
    class Noisy(Net):
        def __init__(self) -> None:
            super().__init__()
            self.source = torch.Generator().manual_seed(5)

        def forward(self, x: Tensor) -> Tensor:
            noise = torch.randn(x.shape, generator=self.source)
            return self.last(self.first(x + noise)).square().mean()

    yield from train(make, Noisy())


@script
def a_seed_set_inside_of_forward(make: Make) -> Iterator[Any]:
    class Seeded(Net):
        def forward(self, x: Tensor) -> Tensor:
            torch.manual_seed(1)
            return self.last(self.first(x + torch.rand_like(x))).square().mean()

    yield from train(make, Seeded())


@script
def dropout_whose_rate_changes(make: Make) -> Iterator[Any]:
    model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.2), nn.Linear(8, 3))

    def between(model: Any, index: int) -> None:
        model[1].p = 0.2 if index < 4 else 0.6
        model[1].train(index != 5)

    yield from train(make, model, kind=Squared, between=between)


@script
def dropout_that_never_sleeps(make: Make) -> Iterator[Any]:
    class Drops(Net):
        def forward(self, x: Tensor) -> Tensor:
            return self.last(F.dropout(self.first(x), 0.3, training=True)).square().mean()

    yield from train(make, Drops().eval())


@script
def batch_norm_with_a_changed_momentum(make: Make) -> Iterator[Any]:
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))

    def between(model: Any, index: int) -> None:
        model[1].momentum = 0.1 / (1 + index // 3)
        model[1].train(index != 4)

    yield from train(make, model, kind=Squared, between=between)


@script
def a_tensor_attribute_that_is_no_buffer(make: Make) -> Iterator[Any]:
    class Masked(Net):
        def __init__(self) -> None:
            super().__init__()
            self.mask = torch.ones(6)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x) * self.mask).square().mean()

    def between(model: Any, index: int) -> None:
        if index == 3:
            model.mask[2] = 0.0
        if index == 5:
            model.mask = torch.full((6,), 0.5)

    yield from train(make, Masked(), between=between)


@script
def a_dictionary_of_settings_that_changes(make: Make) -> Iterator[Any]:
    settings = {"scale": 1.0, "parts": ["mean"]}

    class Set(Net):
        def forward(self, x: Tensor) -> Tensor:
            out = self.last(self.first(x)).square()
            loss = out.mean() * settings["scale"]
            return loss + out.sum() if "sum" in settings["parts"] else loss

    def between(model: nn.Module, index: int) -> None:
        if index == 3:
            settings["scale"] = 0.5
        if index == 5:
            settings["parts"].append("sum")

    yield from train(make, Set(), between=between)


@script
def the_state_goes_through_files(make: Make) -> Iterator[Any]:
    def between(model: nn.Module, index: int) -> None:
        if index == 3:
            file = io.BytesIO()
            torch.save(model.state_dict(), file)
            file.seek(0)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.zero_()
            model.load_state_dict(torch.load(file))
        if index == 5:
            model.load_state_dict(copy.deepcopy(model.state_dict()), assign=True)

    # The optimizer keeps the parameters that `assign` replaces, with and without ONNX Runtime.
    yield from train(make, mlp(), kind=Squared, between=between)


@script
def copies_and_pickles_of_the_model(make: Make) -> Iterator[Any]:
    model = mlp()
    for make_copy in (lambda one: one, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        model = make_copy(model)
        yield from train(make, model, kind=Squared, steps=3)


@script
def a_batch_that_raises(make: Make) -> Iterator[Any]:
    class Strict(Net):
        def forward(self, x: Tensor) -> Tensor:
            if x.shape[0] > 5:
                raise ValueError("too large")
            return self.last(self.first(x)).square().mean()

    step = make(Step, model := Strict())
    for count in (5, 4, 6, 5, 7, 5):
        try:
            loss = step(rows(count))
        except ValueError as error:
            yield str(error)
            continue
        model.zero_grad()
        loss.backward()
        yield loss, state(model)
