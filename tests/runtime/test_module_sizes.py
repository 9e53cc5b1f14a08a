"""Sizes that Python code used: a graph is compared anew for those, and for no others."""

from __future__ import annotations

import math
from typing import Any, Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins


class Squared(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *batch: Tensor) -> Tensor:
        return self.model(*batch).square().mean()


class Net(nn.Module):
    """Two layers, and whatever a test adds."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 3)


class OverTime(Net):
    def forward(self, x: Tensor) -> Tensor:
        state = torch.zeros(x.size(0), 6)
        for step in range(x.size(1)):
            state = torch.tanh(self.first(x[:, step]) + state)
        return self.last(state)


def compared(twins: Twins) -> int:
    """How many calls ran eagerly to compare a graph for new sizes."""
    rows = twins.wrapper.report()["signatures"]
    return sum(row["eager_calls"].get("new sizes or numbers, to compare", 0) for row in rows)


def test_rows_that_are_unpacked_fit_any_number_of_columns() -> None:
    class Graph(Net):
        def forward(self, x: Tensor, edges: Tensor) -> Tensor:
            loops = torch.arange(x.size(0)).unsqueeze(0).repeat(2, 1)
            source, target = torch.cat([edges, loops], 1)
            return self.last(torch.zeros_like(x).index_add(0, target, self.first(x)[source]))

    twins = Twins(Graph(), kind=Squared)
    for count in (20, 21, 22, 23, 24, 25):
        twins.step(torch.randn(5, 6), torch.randint(0, 5, (2, count)))
    assert twins.ran_on_ort() == 4
    assert twins.backends == ["ort"]


def test_a_loop_over_time_is_right_for_any_number_of_sequences() -> None:
    twins = Twins(OverTime(), kind=Squared)
    for count in (4, 5, 6, 7, 8, 9):
        twins.step(torch.randn(count, 3, 6))
    assert compared(twins) == 1
    assert twins.ran_on_ort() == 4
    for length in (2, 4, 3):
        twins.step(torch.randn(4, length, 6))


def test_a_size_that_is_used_is_compared_whatever_it_was_made_of() -> None:
    class Scaled(Net):
        def forward(self, x: Tensor) -> Tensor:
            count = x.size(0) * x.shape[1]
            return self.last(self.first(x)) / math.sqrt(count)

    class ScaledByItsOwn(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            return self.last(hidden) / len(hidden)

    class RowByRow(Net):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([self.last(torch.tanh(row)) for row in self.first(x)])

    for kind in (Scaled, ScaledByItsOwn, RowByRow):
        twins = Twins(kind(), kind=Squared)
        for count, length in ((4, 3), (5, 3), (6, 3), (4, 4), (4, 5), (5, 5), (6, 7)):
            twins.step(torch.randn(count, length, 6))


MEANS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "len(y[mask])": lambda y, mask: y[mask].sum() / max(len(y[mask]), 1),
    "len of them flattened": lambda y, mask: y.sum() / len(y[mask].flatten()),
    "len of what is computed": lambda y, mask: y.sum() / len(y[mask] @ y.T),
    "len(where(mask)[0])": lambda y, mask: y.sum() / len(torch.where(mask)[0]),
    "len(nonzero)": lambda y, mask: y.sum() / len(mask.nonzero()),
    "len(unique)": lambda y, mask: y.sum() / len(torch.unique(mask * torch.arange(5))),
    "len(arange(count))": lambda y, mask: y.sum() / len(torch.arange(mask.sum())),
    "len(repeat_interleave)": lambda y, mask: y.sum() / len(y.repeat_interleave(mask.long(), 0)),
    "int(numel)": lambda y, mask: y[mask].sum() / int(y[mask].numel()),
    "float(size)": lambda y, mask: y.sum() / float(y.masked_select(mask[:, None]).size(0) + 1),
    "a loop": lambda y, mask: sum(y[mask][row] for row in range(y[mask].shape[0])),
    "a branch": lambda y, mask: y[mask] * 2 if y[mask].shape[0] > 2 else y,
    "an expanded size": lambda y, mask: y[mask][:, None].expand(len(y[mask]), 2, 3),
}


def over(function: Callable[[Tensor, Tensor], Tensor]) -> Twins:
    class Chosen(Net):
        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
            return function(self.last(x), mask)

    twins = Twins(Chosen(), kind=Squared)
    for count in (2, 3, 4, 2, 5):
        twins.step(torch.randn(5, 6), torch.arange(5) < count)
    return twins


@pytest.mark.parametrize("name", MEANS)
def test_a_size_that_only_values_tell_is_no_number_of_a_graph(name: str) -> None:
    twins = over(MEANS[name])
    assert twins.backends == ["eager"]
    assert "only the values tell" in twins.reasons[0]


TYPED = """
class Step(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, mask):
        chosen = self.model(x)[mask]
        return chosen.mean() if chosen.shape[0] > 0 else self.model.bias.sum()
"""


@pytest.mark.parametrize("path", ["<stdin>", "<ipython-input-3-0a1b2c>"])
def test_code_that_has_no_file_is_watched_like_any_other(path: str) -> None:
    typed: dict[str, Any] = {"nn": nn}
    exec(compile(TYPED, path, "exec"), typed)
    twins = Twins(nn.Linear(6, 3), kind=typed["Step"])
    for count in (2, 3, 0, 5):
        twins.step(torch.randn(5, 6), torch.arange(5) < count)
    assert twins.backends == ["eager"]
    assert "only the values tell" in twins.reasons[0]


def test_a_size_that_only_values_tell_stays_a_tensor_of_the_graph() -> None:
    forms: list[Callable[[Tensor, Tensor], Tensor]] = [
        lambda y, mask: y[mask].sum() / y[mask].shape[0],
        lambda y, mask: y[mask].view(y[mask].shape[0], -1) + torch.zeros(y[mask].shape[0], 3),
        lambda y, mask: y[mask] / math.sqrt(y[mask].shape[1]),
        lambda y, mask: y.index_add(0, torch.where(mask)[0], y[mask]) / len(y),
        lambda y, mask: y[mask].mean(0) * torch.arange(y.shape[0])[:, None] / len(y),
    ]
    for form in forms:
        assert over(form).ran_on_ort() == 4


class Heads(Net):
    """Attention of two heads, whose shapes are worked out of sizes as einops does."""

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = map(self.apart, self.first(x).chunk(3, -1))
        found = (query @ key.transpose(-1, -2)).softmax(-1) @ value
        rows, heads, length, width = found.shape
        merged = 1
        merged *= heads
        merged *= width
        return found.permute(0, 2, 1, 3).reshape(rows, length, merged)

    @staticmethod
    def apart(x: Tensor) -> Tensor:
        rows, length, width = x.shape
        return x.reshape(rows, length, 2, width // 2).permute(0, 2, 1, 3)


class Chunks(Net):
    def forward(self, x: Tensor) -> Tensor:
        parts = self.first(x).chunk(2, -1)
        return sum(part.reshape(part.shape[0], part.shape[1] * 3) for part in parts)


class Augmented(Net):
    """Sizes under another name, which get a new value while the old one is still needed."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        count = hidden.shape[1]
        halves, share = count, count
        halves *= 2
        share /= 4
        count += 0
        pairs = hidden.reshape(-1, halves, 3).reshape(-1, count, 6)
        return self.last(pairs) / share


@pytest.mark.parametrize("kind", [Heads, Chunks, Augmented])
def test_shapes_made_of_sizes_fit_any_batch(kind: type[Net]) -> None:
    twins = Twins(kind(), kind=Squared)
    for count, length in ((7, 4), (3, 4), (5, 6), (4, 5)):
        twins.step(torch.randn(count, length, 6))
    assert twins.backends == ["ort"]
    assert twins.ran_on_ort() == 2


def test_a_number_that_is_given_stays_what_it_was_under_its_other_names() -> None:
    class Weighted(Net):
        def forward(self, x: Tensor, weight: float) -> Tensor:
            doubled = weight
            doubled *= 2
            return self.last(self.first(x) * doubled) - weight

    class Step(Squared):
        def forward(self, x: Tensor, weight: float) -> Tensor:
            return self.model(x, weight).square().mean()

    twins = Twins(Weighted(), kind=Step)
    for weight in (0.5, 0.25, 0.75, 0.1, 0.3):
        twins.step(torch.randn(4, 6), weight)
    assert twins.backends[-1] == "ort"
    assert twins.ran_on_ort() > 0


class Sentences(nn.Module):
    """Embeds, convolves with kernels of several widths, and takes of each the most over time."""

    def __init__(self, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.words = nn.Embedding(30, 6)
        self.convolutions = nn.ModuleList(nn.Conv1d(6, 4, width) for width in (2, 3))
        self.last, self.pool = nn.Linear(8, 3), pool

    def forward(self, words: Tensor) -> Tensor:
        embedded = self.words(words).transpose(1, 2)
        found = [torch.relu(convolution(embedded)) for convolution in self.convolutions]
        return self.last(torch.cat([self.pool(one).squeeze(2) for one in found], 1))


POOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "max_pool1d": lambda y: F.max_pool1d(y, y.shape[2]),
    "by keyword": lambda y: F.max_pool1d(input=y, kernel_size=y.size(-1)),
    "with places": lambda y: F.max_pool1d(y, y.size(2), return_indices=True)[0],
    "torch's own": lambda y: torch.max_pool1d(y, y.size(2)),
    "a layer": lambda y: nn.MaxPool1d(y.size(2))(y),
    "avg_pool1d": lambda y: F.avg_pool1d(y, y.size(-1)),
    "a layer of averages": lambda y: nn.AvgPool1d(y.size(2))(y),
    "lp_pool1d": lambda y: F.lp_pool1d(y + 1, 2, y.size(2)) / 20,
    "lp_pool2d": lambda y: F.lp_pool2d(y[:, :, None] + 1, 3, (1, y.size(2))).squeeze(2) / 20,
    "a layer of norms": lambda y: nn.LPPool1d(2, kernel_size=y.size(2))(y + 1) / 20,
    "max_pool2d": lambda y: F.max_pool2d(y[:, :, None], (1, y.size(2))).squeeze(2),
    "avg_pool2d": lambda y: F.avg_pool2d(y[..., None], (y.shape[2], 1)).squeeze(3),
}


@pytest.mark.parametrize("name", POOLS)
def test_a_pool_over_a_whole_sentence_fits_any_length(name: str) -> None:
    twins = Twins(Sentences(POOLS[name]), kind=Squared)
    for length in (7, 9, 5, 12, 7, 14, 4):
        twins.step(torch.randint(0, 30, (5, length)))
    assert twins.backends == ["ort"]
    assert twins.ran_on_ort() == 5


class Attention(nn.Module):
    """Self-attention; a score is divided by what `scale` makes of queries and scores."""

    def __init__(self, scale: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 12)
        self.query, self.key, self.last = nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 4)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        words = F.dropout(self.words(x), 0.0) + 1
        size, length, width = words.shape
        query = self.query(words).view(size, length, 3, width // 3).transpose(1, 2)
        key = self.key(words).reshape(size, -1, 3, 4).permute(0, 2, 1, 3)
        scores = query @ key.transpose(-2, -1)
        weights = (scores / self.scale(query, scores)).softmax(-1)
        return self.last((weights @ query).transpose(1, 2).flatten(2))


OF_WEIGHTS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "the size of a head": lambda query, scores: math.sqrt(query.size(-1)),
    "from the shape": lambda query, scores: float(query.shape[-1]) ** 0.5,
    "of two sizes": lambda query, scores: math.sqrt(query.size(3) * query.size(1)),
}


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_a_size_that_weights_fix_is_not_compared_for_every_length(name: str) -> None:
    twins = Twins(Attention(OF_WEIGHTS[name]), kind=Squared)
    for length in (5, 6, 7, 8, 9, 10):
        twins.step(torch.randint(0, 20, (3, length)))
    assert twins.ran_on_ort() == 4
    assert twins.backends == ["ort"]


OF_BATCHES: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "the length": lambda query, scores: math.sqrt(query.size(-2)),
    "of a product": lambda query, scores: math.sqrt(scores.size(-1)),
    "with that of a head": lambda query, scores: math.sqrt(query.size(-1) * scores.size(-1)),
}


@pytest.mark.parametrize("name", OF_BATCHES)
def test_a_size_of_the_batch_is_followed(name: str) -> None:
    twins = Twins(Attention(OF_BATCHES[name]), kind=Squared)
    for length in (5, 5, 6, 7, 6, 5):
        twins.step(torch.randint(0, 20, (3, length)))
    assert twins.backends == ["ort"] * 3


def test_the_weights_of_attention_are_right_for_every_length() -> None:
    class Attended(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.attention = nn.Embedding(20, 12), nn.MultiheadAttention(12, 3)

        def forward(self, x: Tensor) -> Tensor:
            words = self.words(x)
            mixed, weights = self.attention(words, words, words)
            return mixed * weights.square().sum()

    twins = Twins(Attended(), kind=Squared)
    for length in (5, 6, 7, 8, 9, 10):
        twins.step(torch.randint(0, 20, (length, 3)))
    assert twins.ran_on_ort() == 4
