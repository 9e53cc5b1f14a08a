"""Labels: sparsity where it pays, and no batch on which ORT's kernel would kill the process."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins, WithLoss, mlp

from ortwrap.runtime import ort_module
from ortwrap.runtime.operators import cross_entropy


def labels(size: int, valid: int, ignore_index: int = -100) -> Tensor:
    target = torch.full((size,), ignore_index)
    target[:valid] = torch.randint(1, 4, (valid,))
    return target


def sparsity(step: nn.Module) -> list[str]:
    return [row["label_sparsity"] for row in step.report()["signatures"]]


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models as small as these are better off with ONNX Runtime's own loss."""
    monkeypatch.setattr(cross_entropy, "_CALLS_NS", 0.0)


def test_sparsity_is_for_losses_that_are_worth_it() -> None:
    assert cross_entropy.pays(rows=512, classes=30522, features=256)
    assert cross_entropy.pays(rows=512, classes=30522, features=0)
    assert not cross_entropy.pays(rows=64, classes=10, features=512)
    twins = Twins(mlp(8, 4), nn.CrossEntropyLoss())
    for valid in (4, 4, 20):
        twins.step(torch.randn(20, 8), labels(20, valid))
    assert sparsity(twins.wrapper) == ["off"]
    assert twins.ran_on_ort() == 2


CRITERIA = {
    "module": nn.CrossEntropyLoss(),
    "ignore_index": nn.CrossEntropyLoss(ignore_index=0),
    "sum": nn.CrossEntropyLoss(reduction="sum"),
    "weight": nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0, 4.0])),
    "function": F.cross_entropy,
    "keywords": lambda out, y: F.cross_entropy(input=out, target=y),
    "none, then mean": lambda out, y: F.cross_entropy(out, y, reduction="none").mean(),
    "scaled inside": lambda out, y: 0.25 * F.cross_entropy(out, y),
    "weight and none": lambda out, y: (
        F.cross_entropy(out, y, torch.tensor([1.0, 0.5, 3.0, 0.1]), reduction="none").square().sum()
    ),
}


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.usefixtures("always")
def test_one_graph_fits_every_density(name: str) -> None:
    criterion = CRITERIA[name]
    ignored = getattr(criterion, "ignore_index", -100)
    twins = Twins(mlp(8, 16, 4), criterion, lr=0.01)
    for valid in (20, 4, 20, 1, 3, 11):
        twins.step(torch.randn(20, 8), labels(20, valid, ignored))
    assert sparsity(twins.wrapper) == ["on"]
    assert twins.ran_on_ort() == 5


class Tokens(nn.Module):
    """A loss over (sequence, token) labels, `form` says how the logits get there."""

    def __init__(self, model: nn.Module, form: Any) -> None:
        super().__init__()
        self.model = model
        self.form = form

    def forward(self, data: Tensor, target: Tensor) -> Any:
        return self.form(self.model(data), target)


def unpacked(y: Tensor, t: Tensor) -> Tensor:
    B, T, C = y.shape
    return F.cross_entropy(y.view(B * T, C), t.view(B * T))


FORMS = {
    "view": lambda y, t: F.cross_entropy(y.view(-1, 4), t.view(-1)),
    "view by its own sizes": lambda y, t: F.cross_entropy(
        y.view(y.size(0) * y.size(1), y.size(-1)), t.flatten()
    ),
    "view by unpacked sizes": unpacked,
    "a mean of sequences": lambda y, t: (
        F.cross_entropy(y.flatten(0, 1), t.flatten(), reduction="sum") / y.size(0)
    ),
    "flatten": lambda y, t: F.cross_entropy(y.flatten(0, 1), t.flatten()),
    "(N, C, T)": lambda y, t: F.cross_entropy(y.transpose(1, 2), t),
    "(N, C, T), float": lambda y, t: F.cross_entropy(y.float().transpose(-1, -2), t),
    "(N, C, T), permuted": lambda y, t: F.cross_entropy(y.permute(0, 2, 1).contiguous(), t),
    "(N, C, T), a loss for each": lambda y, t: (
        F.cross_entropy(y.transpose(1, 2), t, reduction="none").square().mean()
    ),
    "shifted": lambda y, t: F.cross_entropy(y[:, :-1].reshape(-1, 4), t[:, 1:].reshape(-1)),
    "shifted as Hugging Face did": lambda y, t: F.cross_entropy(
        y[..., :-1, :].contiguous().view(-1, 4), t[..., 1:].contiguous().view(-1)
    ),
    "padded as Hugging Face does": lambda y, t: F.cross_entropy(
        y.view(-1, 4), F.pad(t, (0, 1), value=-100)[..., 1:].contiguous().view(-1)
    ),
    "every second": lambda y, t: F.cross_entropy(y[:, 1::2].reshape(-1, 4), t[:, 1::2].flatten()),
    "one sequence less": lambda y, t: F.cross_entropy(y[1:].flatten(0, 1), t[1:].flatten()),
    "labels made here": lambda y, t: F.cross_entropy(
        y.view(-1, 4), torch.where(t > 1, t, -100).view(-1)
    ),
}
NO_ROWS = {
    "logits read by a metric": lambda y, t: (
        F.cross_entropy(y.view(-1, 4), t.view(-1)),
        y.argmax(-1),
    ),
    "logits in a second loss": lambda y, t: (
        F.cross_entropy(y.view(-1, 4), t.view(-1)) + y.square().mean()
    ),
    "two losses of the same logits": lambda y, t: (
        F.cross_entropy(y.view(-1, 4), t.view(-1)) + F.cross_entropy(y.transpose(1, 2), t)
    ),
    "classes of the second dimension": lambda y, t: F.cross_entropy(y, t[:, :4]),
    "rows of another width": lambda y, t: F.cross_entropy(
        y.reshape(-1, 2), t.repeat(1, 2).view(-1) % 2
    ),
    "cut after a view": lambda y, t: F.cross_entropy(y.view(-1, 4)[1:], t.view(-1)[1:]),
    "softened": lambda y, t: F.cross_entropy(y.view(-1, 4), t.view(-1), label_smoothing=0.1),
}


def token_labels(valid: int) -> Tensor:
    """Labels of three sequences of eight, `valid` of which count."""
    target = torch.full((3, 8), -100)
    target.view(-1)[torch.randperm(24)[:valid]] = torch.randint(0, 4, (valid,))
    return target


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.usefixtures("always")
def test_rows_are_dropped_before_the_last_layer(name: str) -> None:
    twins = Twins(mlp(8, 16, 4), FORMS[name], kind=Tokens)
    for valid in (24, 20, 9, 20):
        twins.step(torch.randn(3, 8, 8), token_labels(valid))
    assert sparsity(twins.wrapper) == ["on"]
    assert twins.ran_on_ort() == 3
    assert products_of_forward(twins) == 2


def products_of_forward(twins: Twins) -> int:
    """How many products of matrices the graph takes before its backward."""
    (plan,) = twins.wrapper._dispatcher.plans()
    kinds = [node.op_type for node in plan.graph.optimized_model.graph.node]
    return sum(kind in ("Gemm", "MatMul") for kind in kinds[: kinds.index("YieldOp")])


@pytest.mark.parametrize("name", NO_ROWS)
@pytest.mark.usefixtures("always")
def test_rows_stay_where_they_are_needed(name: str) -> None:
    twins = Twins(mlp(8, 16, 4), NO_ROWS[name], kind=Tokens)
    for _ in range(3):
        twins.step(torch.randn(3, 8, 8), token_labels(24))
    assert sparsity(twins.wrapper) == ["off"]
    assert twins.ran_on_ort() == 2


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "tied"])
@pytest.mark.usefixtures("always")
def test_a_weight_that_is_also_the_embedding(bias: bool) -> None:
    class Tied(nn.Module):
        def __init__(self, model: nn.Embedding) -> None:
            super().__init__()
            self.model = model

        def forward(self, data: Tensor, target: Tensor) -> Tensor:
            hidden = torch.tanh(self.model(data))
            if bias:
                logits = F.linear(hidden, self.model.weight, self.model.weight[:, 0])
            else:
                logits = hidden @ self.model.weight.t()
            return F.cross_entropy(logits.view(-1, 9), target.view(-1), ignore_index=0)

    twins = Twins(nn.Embedding(9, 5), kind=Tied)
    for _ in range(4):
        twins.step(torch.randint(9, (3, 6)), torch.randint(9, (3, 6)) * torch.randint(2, (3, 6)))
    assert sparsity(twins.wrapper) == ["on"]
    assert twins.ran_on_ort() == 3


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


@pytest.mark.parametrize("calls_ns", [cross_entropy._CALLS_NS, 0.0], ids=["ORT's", "ours"])
@pytest.mark.parametrize("first", [6, 3], ids=["dense", "sparse"])
@pytest.mark.parametrize("name", DEADLY)
def test_deadly_batches_give_what_eager_gives(
    name: str, first: int, calls_ns: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cross_entropy, "_CALLS_NS", calls_ns)
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
    on_ort = sum(row["ort_calls"] for row in step.report()["signatures"])
    assert on_ort == (2 if name == "one valid label" else 1)


@pytest.mark.parametrize("calls_ns", [cross_entropy._CALLS_NS, 0.0], ids=["ORT's", "ours"])
@pytest.mark.parametrize("name", WRONG)
def test_labels_out_of_range_raise_what_eager_raises(
    name: str, calls_ns: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cross_entropy, "_CALLS_NS", calls_ns)
    step = ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())
    for _ in range(2):
        step(torch.randn(6, 8), labels(6, 3))
    with pytest.raises(IndexError):
        step(torch.randn(6, 8), WRONG[name])
    step(torch.randn(6, 8), labels(6, 3))
    assert sum(row["ort_calls"] for row in step.report()["signatures"]) == 2


class MakesLabels(nn.Module):
    """Works out which labels count inside of forward."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        return F.cross_entropy(self.model(data), torch.where(mask, target, -100))


def test_labels_that_cannot_be_looked_at_are_checked_by_the_loss() -> None:
    twins = Twins(mlp(8, 4), kind=MakesLabels)
    for _ in range(3):
        twins.step(torch.randn(6, 8), labels(6, 6), torch.rand(6) > 0.5)
    twins.step(torch.randn(6, 8), labels(6, 6), torch.arange(6) == 2)
    assert twins.ran_on_ort() == 3
    with pytest.raises(IndexError):
        twins.wrapper(torch.randn(6, 8), torch.full((6,), 4), torch.arange(6) == 2)


class MakesLabelsOfPictures(MakesLabels):
    """The same for each of several places, whose logits no linear layer makes."""

    def forward(self, data: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        logits = torch.stack([self.model(data), self.model(-data)], 2)
        return F.cross_entropy(logits, torch.where(mask, target, -100)[:, None].expand(-1, 2))


def test_labels_of_several_places_are_checked_by_torchs_loss() -> None:
    twins = Twins(mlp(8, 4), kind=MakesLabelsOfPictures)
    for _ in range(3):
        twins.step(torch.randn(6, 8), labels(6, 6), torch.arange(6) > 2)
    assert twins.ran_on_ort() == 2
    with pytest.raises(IndexError):
        twins.wrapper(torch.randn(6, 8), torch.full((6,), 4), torch.arange(6) == 2)


class Contrastive(nn.Module):
    """Its labels are positions, of which a smaller right half has fewer."""

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
    for sizes in ((7, 6), (60, 6)):
        with pytest.raises(IndexError):
            twins.wrapper(*(torch.randn(size, 8) for size in sizes))
    twins.step(torch.randn(6, 8), torch.randn(6, 8))


class Matching(Contrastive):
    """As many classes as the batch has rows."""

    def forward(self, left: Tensor, right: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(self.model(left) @ self.model(right).T, target)


def test_a_label_out_of_the_range_of_this_batch_raises_what_eager_raises() -> None:
    twins = Twins(mlp(8, 4), kind=Matching)
    for size in (6, 5, 4, 5):
        twins.step(torch.randn(size, 8), torch.randn(size, 8), torch.randint(0, size, (size,)))
    assert twins.ran_on_ort() >= 2
    with pytest.raises(IndexError):
        twins.wrapper(torch.randn(5, 8), torch.randn(5, 8), torch.tensor([0, 1, 2, 3, 5]))


@pytest.mark.parametrize("calls_ns", [cross_entropy._CALLS_NS, 0.0], ids=["ORT's", "ours"])
@pytest.mark.parametrize("reports", [False, True], ids=["rows", "all rows"])
def test_fewer_labels_than_rows_raise_what_eager_raises(
    reports: bool, calls_ns: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cross_entropy, "_CALLS_NS", calls_ns)
    step = ort_module(Reports if reports else WithLoss, mlp(8, 16, 4), nn.CrossEntropyLoss())
    for size in (6, 6, 5):
        step(torch.randn(size, 8), labels(size, size))
    with pytest.raises(ValueError, match="batch_size"):
        step(torch.randn(6, 8), labels(5, 5))


class Reports(WithLoss):
    """Keeps all rows: somebody else reads them."""

    def forward(self, data: Any, target: Any) -> Any:
        output = self.model(data)
        return self.criterion(output, target), output.detach()
