"""Labels: sparsity where it pays, and no batch on which ORT's kernel would kill the process."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins, WithLoss, mlp

from ortwrap.runtime import ort_module


def labels(size: int, valid: int, ignore_index: int = -100) -> Tensor:
    target = torch.full((size,), ignore_index)
    target[:valid] = torch.randint(1, 4, (valid,))
    return target


def sparsity(step: nn.Module) -> list[str]:
    return [row["label_sparsity"] for row in step.report()["signatures"]]


@pytest.mark.parametrize(
    "criterion",
    [
        nn.CrossEntropyLoss(),
        nn.CrossEntropyLoss(ignore_index=0),
        nn.CrossEntropyLoss(reduction="sum"),
        nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0, 4.0])),
        F.cross_entropy,
        lambda out, y: F.cross_entropy(input=out, target=y),
    ],
    ids=["module", "ignore_index", "sum", "weight", "function", "keywords"],
)
def test_sparse_labels_are_gathered_and_exact(criterion: object) -> None:
    ignored = getattr(criterion, "ignore_index", -100)
    twins = Twins(mlp(8, 16, 4), criterion, lr=0.01)
    for valid in (4, 3, 5, 9):
        twins.step(torch.randn(20, 8), labels(20, valid, ignored))
    assert sparsity(twins.wrapper) == ["on"]
    assert twins.ran_on_ort() == 3


def test_a_dense_first_batch_does_not_decide_for_sparse_ones() -> None:
    twins = Twins(mlp(8, 16, 4), nn.CrossEntropyLoss())
    for valid in (20, 20, 4, 4, 20, 4):
        twins.step(torch.randn(20, 8), labels(20, valid))
    assert sorted(sparsity(twins.wrapper)) == ["off", "on"]
    assert twins.ran_on_ort() == 4


class Shifted(nn.Module):
    """The next-token loss of a language model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        logits = self.model(data)[:, :-1]
        return F.cross_entropy(logits.reshape(-1, 4), target[:, 1:].reshape(-1))


def test_shifted_labels_are_guarded_too() -> None:
    twins = Twins(mlp(8, 4), kind=Shifted)
    for valid in (6, 6, 1, 6):
        target = torch.full((3, 8), -100)
        target[1, :valid] = 2
        if valid == 1:
            # The one valid label is cut off: eager gives nan.
            mine = twins.wrapper(torch.randn(3, 8, 8), target)
            assert mine.isnan()
            continue
        twins.step(torch.randn(3, 8, 8), target)
    assert twins.ran_on_ort() == 2


class Padded(Shifted):
    """The same as Hugging Face writes it: padded first, then cut."""

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        shifted = F.pad(target, (0, 1), value=-100)[..., 1:].contiguous()
        return F.cross_entropy(self.model(data).view(-1, 4), shifted.view(-1))


def test_padded_labels_are_guarded_too() -> None:
    twins = Twins(mlp(8, 4), kind=Padded)
    for valid in (8, 8, 5):
        target = torch.full((3, 8), -100)
        target[1, :valid] = 2
        twins.step(torch.randn(3, 8, 8), target)
    lone = torch.full((3, 8), -100)
    lone[:, 0] = 1
    lone[0, 3] = 1
    data = torch.randn(3, 8, 8)
    expected = Padded(twins.model)(data, lone)
    torch.testing.assert_close(twins.wrapper(data, lone), expected)
    assert twins.ran_on_ort() == 2
    assert sparsity(twins.wrapper) == ["on"]


DEADLY = {
    "no valid label": (torch.randn(6, 8), torch.full((6,), -100)),
    "one valid label": (torch.randn(6, 8), torch.tensor([1] + [-100] * 5)),
    "an empty batch": (torch.randn(0, 8), torch.zeros(0, dtype=torch.long)),
}
WRONG = {
    "a label too large": torch.tensor([0, 1, 2, 3, 4, -100]),
    "a label far too large": torch.tensor([0, 1, 10**9, 3, -100, -100]),
    "a negative label": torch.tensor([0, 1, -1, 3, -100, -100]),
}


@pytest.mark.parametrize("first", [6, 3], ids=["dense", "sparse"])
@pytest.mark.parametrize("name", DEADLY)
def test_deadly_batches_give_what_eager_gives(name: str, first: int) -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    for _ in range(2):
        step(torch.randn(6, 8), labels(6, first))
    data, target = DEADLY[name]
    expected = F.cross_entropy(model(data), target)
    torch.testing.assert_close(step(data, target), expected, equal_nan=True)
    torch.testing.assert_close(
        step(torch.randn(6, 8), labels(6, first)).isfinite(), torch.tensor(True)
    )


@pytest.mark.parametrize("name", [*DEADLY, *WRONG])
def test_a_deadly_first_batch(name: str) -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    if name in WRONG:
        with pytest.raises(IndexError):
            step(torch.randn(6, 8), WRONG[name])
    else:
        data, target = DEADLY[name]
        expected = F.cross_entropy(model(data), target)
        torch.testing.assert_close(step(data, target), expected, equal_nan=True)
    for _ in range(2):
        step(torch.randn(6, 8), labels(6, 4)).backward()
    assert sum(row["ort_calls"] for row in step.report()["signatures"]) == 1


@pytest.mark.parametrize("first", [6, 3], ids=["dense", "sparse"])
@pytest.mark.parametrize("name", WRONG)
def test_labels_out_of_range_raise_what_eager_raises(name: str, first: int) -> None:
    step = ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())
    for _ in range(2):
        step(torch.randn(6, 8), labels(6, first))
    with pytest.raises(IndexError):
        step(torch.randn(6, 8), WRONG[name])


class MakesLabels(nn.Module):
    """Works out which labels count inside of forward."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        return F.cross_entropy(self.model(data), torch.where(mask, target, -100))


def test_labels_that_cannot_be_looked_at_run_eagerly() -> None:
    twins = Twins(mlp(8, 4), kind=MakesLabels)
    for _ in range(3):
        twins.step(torch.randn(6, 8), labels(6, 6), torch.rand(6) > 0.5)
    assert "labels" in twins.reasons[0]


class Contrastive(nn.Module):
    """Its labels are positions: they cannot be out of range."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        scores = self.model(left) @ self.model(right).T
        return F.cross_entropy(scores, torch.arange(scores.shape[0]))


def test_labels_made_from_sizes_run_on_ort() -> None:
    twins = Twins(mlp(8, 4), kind=Contrastive)
    for size in (6, 6, 5, 6):
        twins.step(torch.randn(size, 8), torch.randn(size, 8))
    assert twins.ran_on_ort() >= 2
