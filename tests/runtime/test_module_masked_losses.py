"""Losses whose rows a mask takes out by hand: they are dropped as those of ignored labels are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins, mlp

from ortwrap.runtime.operators import cross_entropy

CLASSES = 11


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models as small as these are better off with ONNX Runtime's own loss."""
    monkeypatch.setattr(cross_entropy, "_CALLS_NS", 0.0)


class Masked(nn.Module):
    """A loss over (sequence, token) labels and their mask; `form` says how it is taken."""

    def __init__(self, model: nn.Module, form: Any) -> None:
        super().__init__()
        self.model = model
        self.form = form

    def forward(self, data: Tensor, labels: Tensor, mask: Tensor) -> Any:
        return self.form(self.model(data), labels, mask)


def flat(logits: Tensor, labels: Tensor, **options: Any) -> Tensor:
    """A loss for each token, in one row."""
    rows = logits.view(-1, CLASSES)
    return F.cross_entropy(rows, labels.view(-1), reduction="none", **options)


def square(logits: Tensor, labels: Tensor) -> Tensor:
    """A loss for each token, in the shape of the labels."""
    return F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")


def inplace(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    loss = square(logits, labels)
    loss *= mask
    return loss.sum() / mask.sum()


def padded(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    loss = flat(logits, labels)
    mask = (labels != 0).float().view(-1)
    return (loss * mask).sum() / mask.sum()


def by_length(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    loss = square(logits, labels)
    lengths = mask.sum(1, keepdim=True)
    inside = torch.arange(loss.size(1)) < lengths
    return (loss * inside).sum() / loss.size(0)


def of_a_criterion(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    loss = nn.CrossEntropyLoss(reduction="none")(logits.view(-1, CLASSES), labels.view(-1))
    return (loss * mask.view(-1)).sum() / mask.sum()


def as_in_nanogpt(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    B, T, C = logits.shape
    loss = F.cross_entropy(logits.view(B * T, C), labels.view(B * T), reduction="none")
    return (loss.view(B, T) * mask).sum() / mask.sum()


def log_probabilities(logits: Tensor, labels: Tensor) -> Tensor:
    """That of each label."""
    return F.log_softmax(logits, -1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)


def of_answers(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """As preferences are learned: the log probability of each answer."""
    logits, labels, mask = logits[:, :-1], labels[:, 1:].clone(), mask[:, 1:] > 0
    labels[~mask] = 0
    chosen = torch.gather(logits.log_softmax(-1), dim=2, index=labels.unsqueeze(2)).squeeze(2)
    return -F.logsigmoid((chosen * mask).sum(-1)).mean()


WEIGHT = torch.linspace(0.1, 2.0, CLASSES)
FORMS = {
    "flat": lambda y, t, m: (flat(y, t) * m.view(-1)).sum() / m.sum(),
    "viewed back": lambda y, t, m: (flat(y, t).view(t.shape) * m).sum() / m.sum(),
    "viewed by its sizes": lambda y, t, m: (flat(y, t).view(t.size(0), -1) * m).sum() / m.sum(),
    "view_as": lambda y, t, m: (flat(y, t).view_as(m) * m).sum() / m.sum(),
    "(N, C, T)": lambda y, t, m: (square(y, t) * m).sum() / m.sum(),
    "a mean for each sequence": lambda y, t, m: ((square(y, t) * m).sum(1) / 8).mean(),
    "mask first": lambda y, t, m: (m * square(y, t)).sum() / m.sum(),
    "bool": lambda y, t, m: (square(y, t) * (m > 0)).sum() / m.sum(),
    "long": lambda y, t, m: (square(y, t) * m.long()).sum() / m.sum(),
    "of its dtype": lambda y, t, m: (lambda loss: (loss * m.bool().type_as(loss)).sum())(
        square(y, t)
    ),
    "to its dtype": lambda y, t, m: (lambda loss: (loss * m.bool().to(loss)).sum())(square(y, t)),
    "normalised": lambda y, t, m: (square(y, t) * (m / m.sum())).sum(),
    "weights": lambda y, t, m: (square(y, t) * m * -1.5).mean(),
    "in place": inplace,
    "made of the labels, later": padded,
    "made of lengths": by_length,
    "where": lambda y, t, m: torch.where(m > 0, square(y, t), 0.0).sum() / m.sum(),
    "where not": lambda y, t, m: torch.where(m == 0, 0.0, square(y, t)).sum() / m.sum(),
    "where, zeros": lambda y, t, m: (
        lambda loss: torch.where(m > 0, loss, torch.zeros_like(loss)).mean()
    )(flat(y, t).view(t.shape)),
    "masked_fill": lambda y, t, m: flat(y, t).masked_fill(m.view(-1) == 0, 0).mean(),
    "masked_fill_": lambda y, t, m: flat(y, t).masked_fill_(m.view(-1) == 0, 0).mean(),
    "masked_select": lambda y, t, m: square(y, t).masked_select(m > 0).sum(),
    "index": lambda y, t, m: flat(y, t)[m.view(-1) > 0].sum(),
    "index of two": lambda y, t, m: square(y, t)[m.bool()].sum(),
    "criterion": of_a_criterion,
    "nll_loss": lambda y, t, m: (
        (
            F.nll_loss(F.log_softmax(y, -1).view(-1, CLASSES), t.view(-1), reduction="none")
            * m.view(-1)
        ).sum()
        / m.sum()
    ),
    "nll_loss, (N, C, T)": lambda y, t, m: (
        nn.NLLLoss(reduction="none")(F.log_softmax(y, dim=2).transpose(1, 2), t) * m
    ).sum(),
    "nll_loss of (N, C, T)": lambda y, t, m: (
        F.nll_loss(F.log_softmax(y.transpose(1, 2), dim=1), t, WEIGHT, reduction="none") * m
    ).sum(),
    "gathered": lambda y, t, m: -(log_probabilities(y, t) * m).sum() / m.sum(),
    "gathered and negated": lambda y, t, m: (-log_probabilities(y, t) * m).sum() / m.sum(),
    "gathered and selected": lambda y, t, m: -log_probabilities(y, t)[m > 0].sum(),
    "gathered for preferences": of_answers,
    "ignored as well": lambda y, t, m: (flat(y, t, ignore_index=3) * m.view(-1)).sum() / m.sum(),
    "weighted": lambda y, t, m: (flat(y, t, weight=WEIGHT) * m.view(-1)).sum() / m.sum(),
    "logits unpacked": as_in_nanogpt,
    "detached mask": lambda y, t, m: (
        square(y, t) * (m * torch.ones(8, requires_grad=True)).detach()
    ).sum(),
}


def mask_of(count: int) -> Tensor:
    """A mask of three sequences of eight that leaves so many tokens."""
    mask = torch.zeros(24)
    mask[torch.randperm(24)[:count]] = 1.0
    return mask.view(3, 8)


def batch(count: int) -> tuple[Tensor, Tensor, Tensor]:
    return torch.randn(3, 8, 6), torch.randint(0, CLASSES, (3, 8)), mask_of(count)


def losses_in(twins: Twins) -> list[str]:
    """The nodes of the graph that compute a cross entropy or choose its rows."""
    (plan,) = twins.wrapper._dispatcher.plans()
    operators = [
        attribute.s.decode().removeprefix("ortwrap::")
        for node in plan.graph.optimized_model.graph.node
        for attribute in node.attribute
        if attribute.name == "operator"
    ]
    names = (operator.split("_rows")[0].split("_1")[0] for operator in operators)
    return sorted(name for name in names if name in ("cross_entropy", "counting", "valid"))


@pytest.mark.parametrize("name", FORMS)
def test_masked_rows_are_dropped_before_the_last_layer(name: str) -> None:
    twins = Twins(mlp(6, 16, CLASSES), FORMS[name], kind=Masked, lr=0.01)
    for count in (12, 24, 1, 7, 12):
        twins.step(*batch(count))
    assert twins.ran_on_ort() == 4, twins.reasons
    assert losses_in(twins) == ["counting", "cross_entropy"]


@pytest.mark.parametrize("name", FORMS)
def test_a_mask_that_leaves_nothing_gives_what_eager_gives(name: str) -> None:
    twins = Twins(mlp(6, 16, CLASSES), FORMS[name], kind=Masked)
    for _ in range(2):
        twins.step(*batch(12))
    data, labels, mask = batch(0)
    for model, step in (
        (twins.model, twins.wrapper),
        (twins.reference, Masked(twins.reference, FORMS[name])),
    ):
        model.zero_grad()
        step(data, labels, mask).backward()
    assert twins.ran_on_ort() == 2
    for mine, theirs in zip(twins.model.parameters(), twins.reference.parameters()):
        torch.testing.assert_close(mine.grad, theirs.grad, equal_nan=True)


def test_the_report_tells_which_labels_count() -> None:
    twins = Twins(mlp(6, 16, CLASSES), FORMS["ignored as well"], kind=Masked)
    shares = []
    for count in (12, 24, 6):
        data, labels, mask = batch(count)
        twins.step(data, labels, mask)
        shares.append(float(((labels != 3) & (mask > 0)).float().mean()))
    (row,) = twins.wrapper.report()["signatures"]
    assert row["label_sparsity"] == "on"
    assert [share for _, share in row["label_densities"]] == pytest.approx(shares[1:])


@pytest.mark.parametrize("label", [CLASSES, -1])
def test_a_label_out_of_range_raises_where_it_is_masked_too(label: int) -> None:
    twins = Twins(mlp(6, 16, CLASSES), FORMS["flat"], kind=Masked)
    for _ in range(2):
        twins.step(*batch(12))
    data, labels, mask = batch(12)
    labels[mask == 0] = label
    with pytest.raises(IndexError):
        twins.wrapper(data, labels, mask)


@pytest.mark.parametrize("factor", [float("nan"), -2.0, 1e-30])
def test_whatever_is_not_zero_counts(factor: float) -> None:
    twins = Twins(mlp(6, 16, CLASSES), FORMS["flat"], kind=Masked)
    for _ in range(2):
        twins.step(*batch(12))
    data, labels, mask = batch(12)
    mask[1, 2] = factor
    expected = Masked(twins.reference, FORMS["flat"])(data, labels, mask)
    result = twins.wrapper(data, labels, mask)
    torch.testing.assert_close(result, expected, equal_nan=True)


class Learned(nn.Module):
    """A factor of each token that trains."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Linear(6, CLASSES)
        self.factors = nn.Parameter(torch.ones(3, 8))

    def forward(self, data: Tensor) -> Tensor:
        return self.logits(data)


def focal(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    loss = square(logits, labels)
    return ((1 - torch.exp(-loss)) ** 2 * loss * mask).sum() / mask.sum()


def hardest(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    loss = square(logits, labels)
    return (loss * (loss.detach() > loss.detach().mean())).sum()


def reported(logits: Tensor, labels: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    loss = square(logits, labels)
    return (loss * mask).sum() / mask.sum(), loss.detach()


def twice(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    loss = square(logits, labels)
    return (loss * mask).sum() + (loss * (1 - mask)).mean()


def mask_of_what_was_masked(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    loss = square(logits, labels)
    first = loss * mask
    return first.sum() + (loss * (first.detach() > 1)).sum()


NOT_DROPPED = {
    "a loss that is reported": reported,
    "a loss that is used twice": twice,
    "a mask that the loss makes": hardest,
    "a mask that its product makes": mask_of_what_was_masked,
    "focal factors": focal,
    "factors that read the logits": lambda y, t, m: (
        square(y, t) * (y.detach().argmax(-1) != t)
    ).sum(),
    "a factor for each sequence": lambda y, t, m: (square(y, t) * m[:, :1]).mean(),
    "a factor for each position": lambda y, t, m: (square(y, t) * m[0]).mean(),
    "every loss with every factor": lambda y, t, m: (flat(y, t).view(-1, 1) * m.view(1, -1)).mean(),
    "one factor": lambda y, t, m: (square(y, t) * m.mean()).sum(),
    "the loss squared": lambda y, t, m: (lambda loss: (loss * loss).sum())(square(y, t)),
    "a transposed loss": lambda y, t, m: (square(y, t).t() * m.t()).sum(),
    "a shifted loss": lambda y, t, m: (square(y, t)[:, 1:] * m[:, 1:]).sum(),
    "numbers of rows": lambda y, t, m: flat(y, t)[torch.arange(0, 24, 3)].sum(),
    "rows of sequences": lambda y, t, m: square(y, t)[m[:, 0] >= 0].sum(),
    "log probabilities in a second term": lambda y, t, m: (
        lambda p: -(p.gather(-1, t.unsqueeze(-1)).squeeze(-1) * m).sum() + (p.exp() * p).mean()
    )(F.log_softmax(y, -1)),
    "a softmax over tokens": lambda y, t, m: (
        -(F.log_softmax(y, 1).gather(-1, t.unsqueeze(-1)).squeeze(-1) * m).sum()
    ),
    "no log probabilities": lambda y, t, m: -(y.gather(-1, t.unsqueeze(-1)).squeeze(-1) * m).sum(),
    "two classes of each token": lambda y, t, m: (
        -(F.log_softmax(y, -1).gather(-1, torch.stack([t, t], -1))[..., 0] * m).sum()
    ),
    "logits in a second term": lambda y, t, m: (square(y, t) * m).sum() + y.square().mean(),
}


@pytest.mark.parametrize("name", NOT_DROPPED)
def test_rows_stay_where_they_are_needed(name: str) -> None:
    twins = Twins(mlp(6, 16, CLASSES), NOT_DROPPED[name], kind=Masked, lr=0.01)
    for count in (12, 24, 7):
        twins.step(*batch(count))
    assert twins.ran_on_ort() == 2, twins.reasons
    assert "counting" not in losses_in(twins)


class WithFactors(Masked):
    """The loss of each token times a factor that trains, and that is zero for some."""

    def forward(self, data: Tensor, labels: Tensor, mask: Tensor) -> Any:
        return (square(self.model(data), labels) * (self.model.factors * mask)).sum()


def test_rows_stay_where_their_factors_train() -> None:
    twins = Twins(Learned(), None, kind=WithFactors, lr=0.01)
    for count in (12, 24, 7):
        twins.step(*batch(count))
    assert twins.ran_on_ort() == 2, twins.reasons
    assert losses_in(twins) == ["cross_entropy", "valid"]


def test_other_sizes_use_the_same_graph() -> None:
    twins = Twins(mlp(6, 16, CLASSES), FORMS["viewed back"], kind=Masked, lr=0.01)
    for rows, columns in ((3, 8), (3, 8), (2, 5), (4, 6), (2, 5)):
        mask = (torch.rand(rows, columns) > 0.5).float()
        mask[0, 0] = 1.0
        labels = torch.randint(0, CLASSES, (rows, columns))
        twins.step(torch.randn(rows, columns, 6), labels, mask)
    assert twins.backends == ["ort"]


def test_in_double_the_loss_is_taken_as_it_is() -> None:
    twins = Twins(mlp(6, 16, CLASSES).double(), FORMS["flat"], kind=Masked, lr=0.01)
    for count in (12, 24, 7):
        data, labels, mask = batch(count)
        twins.step(data.double(), labels, mask.double(), tolerance=1e-9)
    assert twins.ran_on_ort() == 2, twins.reasons
    assert losses_in(twins) == []
