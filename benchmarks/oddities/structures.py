"""Odd arguments and results: containers, numbers, nothing, tensors of odd shapes."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .play import STEPS, Make, Squared, Step, mlp, rows, script, state, train
from .stateful import Net


class Pair(NamedTuple):
    data: Tensor
    scale: Any


@dataclass
class Batch:
    data: Tensor
    labels: Tensor
    name: str


@dataclass
class Result:
    loss: Tensor
    logits: Tensor
    extra: Any = None


@script
def nested_arguments(make: Make) -> Iterator[Any]:
    class Nested(Net):
        def forward(self, batch: Any, pair: Pair, *rest: Tensor, scale: Any = None) -> Any:
            hidden = self.first(batch["x"][0]) + pair.data * pair.scale
            for one in rest:
                hidden = hidden + one
            loss = self.last(hidden).square().mean()
            return {"loss": loss if scale is None else loss * scale, "parts": [hidden.detach()]}

    step = make(Step, model := Nested())
    for index in range(STEPS):
        batch = {"x": [rows()], "unused": "text", "none": None}
        more = [rows()] * (index // 3 % 2)
        scale = None if index < 6 else 0.5 * index
        result = step(batch, Pair(rows(), 2), *more, scale=scale)
        model.zero_grad()
        result["loss"].backward()
        yield result, state(model)


@script
def dataclasses_in_and_out(make: Make) -> Iterator[Any]:
    class Classes(Net):
        def forward(self, batch: Batch) -> Result:
            logits = self.last(self.first(batch.data))
            return Result(F.cross_entropy(logits, batch.labels), logits.detach(), batch.name)

    batch = lambda index: (Batch(rows(), torch.randint(0, 3, (5,)), f"name {index % 2}"),)  # noqa: E731
    yield from train(make, Classes(), batch)


@script
def an_ordered_dictionary_in_and_out(make: Make) -> Iterator[Any]:
    class Ordered(Net):
        def forward(self, **batch: Tensor) -> Any:
            loss = self.last(self.first(batch["x"])).square().mean()
            return collections.OrderedDict(loss=loss, none=None, size=batch["x"].shape[0], x=3.5)

    yield from train(make, Ordered(), lambda index: {"x": rows(5 - index % 2), "y": rows()})


@script
def none_and_numbers_among_the_results(make: Make) -> Iterator[Any]:
    class Mixed(Net):
        def forward(self, x: Tensor) -> Any:
            out = self.last(self.first(x))
            return out.square().mean(), None, 7, "text", out.argmax(1), out.shape, x.dtype

    yield from train(make, Mixed())


@script
def a_number_read_from_the_loss(make: Make) -> Iterator[Any]:
    class Read(Net):
        def forward(self, x: Tensor) -> Any:
            loss = self.last(self.first(x)).square().mean()
            return loss, loss.item()

    yield from train(make, Read())


@script
def the_argument_and_views_of_parameters_returned(make: Make) -> Iterator[Any]:
    class Handed(Net):
        def forward(self, x: Tensor) -> Any:
            loss = self.last(self.first(x)).square().mean()
            return loss, x, self.first.weight[0].detach(), x[:2]

    yield from train(make, Handed())


@script
def an_argument_written_in_place(make: Make) -> Iterator[Any]:
    class Writes(Net):
        def forward(self, x: Tensor) -> Any:
            x.mul_(2)
            return self.last(self.first(x)).square().mean()

    yield from train(make, Writes())


@script
def a_slice_of_an_argument_written_in_place(make: Make) -> Iterator[Any]:
    class Writes(Net):
        def forward(self, x: Tensor, y: Tensor) -> Any:
            y[:, 0] = 0.0
            return self.last(self.first(x * y)).square().mean(), y

    yield from train(make, Writes(), lambda index: (rows(), rows()))


@script
def a_list_argument_that_grows(make: Make) -> Iterator[Any]:
    class Grows(Net):
        def forward(self, x: Tensor, seen: Any) -> Tensor:
            seen.append(x.detach())
            return self.last(self.first(x)).square().mean()

    seen: list[Tensor] = []
    yield from train(make, Grows(), lambda index: (rows(), seen))
    yield seen


@script
def in_place_writes_to_what_forward_made(make: Make) -> Iterator[Any]:
    class Writes(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x) + 0
            hidden[:, 0] = 1.0
            hidden[:, 1:3] *= 2
            hidden[x > 1] = 0.5
            hidden.masked_fill_(x < -1, 0.0).add_(1).relu_()
            base = torch.zeros(len(x), 6)
            base.scatter_(1, torch.zeros(len(x), 1, dtype=torch.long), 1.0)
            base[:, 2] += hidden[:, 2]
            return self.last(hidden + base).square().mean()

    yield from train(make, Writes())


@script
def empty_batches(make: Make) -> Iterator[Any]:
    yield from train(make, mlp(), lambda index: (rows(0 if index == 3 else 5),), kind=_Summed)


class _Summed(Squared):
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.model(*args, **kwargs).square().sum()


@script
def a_batch_of_one_and_others(make: Make) -> Iterator[Any]:
    yield from train(make, mlp(), lambda index: (rows(1 + index % 3),), kind=Squared)


@script
def arguments_without_dimensions(make: Make) -> Iterator[Any]:
    class Scalars(Net):
        def forward(self, x: Tensor, scale: Tensor, on: Tensor) -> Tensor:
            return self.last(self.first(x) * scale).square().mean() * on

    batch = lambda index: (rows(), torch.tensor(0.5 * index), torch.tensor(index % 2 == 0))  # noqa: E731
    yield from train(make, Scalars(), batch)


@script
def channels_last_and_strided_inputs(make: Make) -> Iterator[Any]:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
    model.append(nn.Linear(4 * 4 * 4, 3)).to(memory_format=torch.channels_last)

    def batch(index: int) -> tuple[Tensor]:
        x = torch.randn(4, 3, 6, 6)
        if index % 3 == 1:
            return (x.to(memory_format=torch.channels_last),)
        return (x.transpose(2, 3),) if index % 3 == 2 else (x,)

    yield from train(make, model, batch, kind=Squared)


@script
def expanded_and_overlapping_inputs(make: Make) -> Iterator[Any]:
    batch = lambda index: (torch.randn(1, 6).expand(5, 6),) if index % 2 else (rows()[::2],)  # noqa: E731
    yield from train(make, mlp(), batch, kind=Squared)


@script
def lengths_of_packed_sequences(make: Make) -> Iterator[Any]:
    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(6, 4, batch_first=True, bidirectional=True)
            self.last = nn.Linear(8, 3)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            pack = nn.utils.rnn.pack_padded_sequence(
                x, lengths, batch_first=True, enforce_sorted=False
            )
            out, _ = nn.utils.rnn.pad_packed_sequence(self.gru(pack)[0], batch_first=True)
            return self.last(out).square().sum() / lengths.sum()

    batch = lambda index: (torch.randn(3, 5, 6), torch.tensor([5, 2 + index % 3, 1 + index % 2]))  # noqa: E731
    yield from train(make, Packed(), batch)


@script
def a_loop_over_the_time_of_a_batch(make: Make) -> Iterator[Any]:
    class Loop(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = torch.zeros(x.shape[0], 6)
            losses = []
            for frame in x.unbind(1):
                hidden = torch.tanh(self.first(frame) + hidden)
                losses.append(self.last(hidden).square().mean())
            return torch.stack(losses).mean()

    yield from train(make, Loop(), lambda index: (torch.randn(3, 4 + index % 3, 6),))


@script
def an_iteration_over_rows(make: Make) -> Iterator[Any]:
    class Rows(Net):
        def forward(self, x: Tensor) -> Tensor:
            return sum(self.last(self.first(row)).square().mean() for row in x) / len(x)  # type: ignore[return-value]

    yield from train(make, Rows(), lambda index: (rows(4 + index % 2),))


@script
def shapes_that_follow_the_data(make: Make) -> Iterator[Any]:
    class Dynamic(Net):
        def forward(self, x: Tensor) -> Tensor:
            kept = x[x[:, 0] > 0]
            places = torch.nonzero(x[:, 1] > 0).squeeze(1)
            hidden = torch.cat([self.first(kept), self.first(x[places]), self.first(x[:1])])
            return self.last(hidden).square().sum() / 100

    yield from train(make, Dynamic(), lambda index: (rows(9),))


@script
def unique_values_and_counts(make: Make) -> Iterator[Any]:
    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(9, 6)

        def forward(self, tokens: Tensor) -> Tensor:
            found, counts = torch.unique(tokens, return_counts=True)
            return (self.table(found).square().sum(1) * counts).mean()

    yield from train(make, Counted(), lambda index: (torch.randint(0, 9, (11,)),))


@script
def means_masked_by_hand(make: Make) -> Iterator[Any]:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.last = nn.Embedding(50, 8), nn.Linear(8, 50)

        def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
            logits = self.last(self.table(tokens)[:, :-1])
            losses = F.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
            weights = mask[:, 1:].float()
            return (losses * weights).sum() / weights.sum().clamp(min=1)

    def batch(index: int) -> tuple[Tensor, Tensor]:
        mask = torch.rand(4, 9) < 0.4
        return torch.randint(0, 50, (4, 9)), mask & (index != 4)

    yield from train(make, Masked(), batch)
