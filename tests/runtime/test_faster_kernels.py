"""Where torch's kernels are much faster than ONNX Runtime's, graphs call them, and train alike."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")

MANY, FEW = 2**16, 64


class Language(nn.Module):
    """Tokens to logits over a vocabulary that makes 2**22 elements of each of its matrices."""

    def __init__(self, *, tied: bool = False, bias: bool = True) -> None:
        super().__init__()
        self.embedding = nn.Embedding(MANY, FEW, padding_idx=0)
        self.hidden = nn.Linear(FEW, FEW)
        self.norm = nn.LayerNorm(FEW)
        self.head = nn.Linear(FEW, MANY, bias=bias)
        if tied:
            self.head.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.norm(F.gelu(self.hidden(self.embedding(tokens)))))


class Tokens(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, labels: Tensor) -> Tensor:
        logits = self.model(tokens)
        return F.cross_entropy(logits.view(-1, MANY), labels.view(-1))


def calls_of(twins: Twins) -> Counter[str]:
    """How often its graph calls each of these kernels of torch."""
    (plan,) = twins.wrapper._dispatcher.plans()
    found: Counter[str] = Counter()
    for node in plan.graph.optimized_model.graph.node:
        for attribute in node.attribute:
            name = attribute.s.decode(errors="replace")
            if node.op_type == "ATen" and attribute.name == "operator" and "::call" not in name:
                found[name.replace("ortwrap::", "")] += "::vjp" not in name
    return +found


@pytest.mark.parametrize("tied", [False, True], ids=["apart", "tied"])
@pytest.mark.parametrize("valid", [0.1, 1.0], ids=["few labels", "all labels"])
@pytest.mark.parametrize("bias", [False, True], ids=["no bias", "bias"])
def test_a_language_model(tied: bool, valid: float, bias: bool) -> None:
    twins = Twins(Language(tied=tied, bias=bias), kind=Tokens)
    for _ in range(3):
        tokens = torch.randint(MANY, (2, 40))
        labels = torch.where(torch.rand(2, 40) < valid, tokens, -100)
        twins.step(tokens, labels)
    assert set(twins.backends) == {"ort"}, twins.reasons
    found = calls_of(twins)
    assert found["gelu_backward"] == found["layer_norm_backward"] == 1
    assert found["embedding_backward"] == 1
    assert sum(found[f"product_{form}"] for form in ("nn", "nt", "tn", "tt")) == 3, found


def test_small_matrices_stay_with_onnx_runtime() -> None:
    twins = Twins(nn.Sequential(nn.Embedding(100, 8), nn.Flatten(), nn.Linear(24, 5)), F.mse_loss)
    for _ in range(2):
        twins.step(torch.randint(100, (6, 3)), torch.randn(6, 5))
    assert set(twins.backends) == {"ort"}, twins.reasons
    assert calls_of(twins).keys() <= {"embedding", "embedding_backward"}
    assert "embedding" in calls_of(twins), "the count sees calls of torch"


GELUS: dict[str, nn.Module] = {
    "behind a product": nn.GELU(),
    "approximate": nn.GELU(approximate="tanh"),
}


@pytest.mark.parametrize("gelu", GELUS.values(), ids=GELUS)
def test_gelu_is_one_node_and_its_gradient_another(gelu: nn.Module) -> None:
    twins = Twins(nn.Sequential(Scaled(6), gelu, nn.Linear(6, 2)), F.mse_loss)
    for rows in (3, 5, 3):
        twins.step(3 * torch.randn(rows, 6), torch.randn(rows, 2))
    assert set(twins.backends) == {"ort"}, twins.reasons
    for plan in twins.wrapper._dispatcher.plans():
        kinds = {node.op_type for node in plan.graph.optimized_model.graph.node}
        assert kinds.isdisjoint({"Erf", "Tanh", "Exp", "GeluGrad"})


class Scaled(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.rand(width) + 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x


class Several(nn.Module):
    """Layers that are normalized over one and over two dimensions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.one, self.two = nn.LayerNorm(6), nn.LayerNorm((4, 6))

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.two(F.gelu(self.one(self.first(x)), approximate="tanh")))


FROZEN = {
    "nothing": (),
    "what comes before": ("first.weight", "first.bias"),
    "a weight": ("one.weight",),
    "a bias": ("two.bias",),
    "a normalization": ("two.weight", "two.bias"),
    "all but a bias": ("first.weight", "first.bias", "one.weight", "two.weight", "two.bias"),
}


@pytest.mark.parametrize("frozen", FROZEN.values(), ids=FROZEN)
def test_normalization_with_frozen_parts(frozen: tuple[str, ...]) -> None:
    model = Several()
    for name in frozen:
        model.get_parameter(name).requires_grad_(False)
    twins = Twins(model, F.mse_loss)
    for rows in (3, 5, 3):
        twins.step(torch.randn(rows, 4, 6), torch.randn(rows, 4, 6))
    assert set(twins.backends) == {"ort"}, twins.reasons


class FirstToken(nn.Module):
    """Classifies a sequence by one of its tokens, as BERT does."""

    def __init__(self, choose: Any) -> None:
        super().__init__()
        self.hidden, self.head, self.choose = nn.Linear(8, 64), nn.Linear(64, 3), choose

    def forward(self, x: Tensor) -> Tensor:
        # ONNX Runtime gathers before what comes from a row alone; these come from all rows.
        return self.head(self.choose(self.hidden(x).softmax(1)))


GATHERED = {
    "the first": lambda hidden: hidden[:, 0],
    "the last": lambda hidden: hidden[:, -1],
    "some, one of them twice": lambda hidden: hidden[:, torch.tensor([1, 0, -1, 1])].sum(1),
    "rows": lambda hidden: hidden[torch.tensor([0, -1, 0])].mean((0, 1))[None],
    "an axis of an axis": lambda hidden: hidden.transpose(0, 1)[2],
    "channels": lambda hidden: hidden.index_select(2, torch.arange(63, -1, -1)).mean(1),
}


@pytest.mark.parametrize("choose", GATHERED.values(), ids=GATHERED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_gradients_of_gathered_rows(choose: Any, dtype: torch.dtype) -> None:
    twins = Twins(FirstToken(choose).to(dtype), _squares)
    for rows in (3, 5, 3):
        twins.step(torch.randn(rows, 4, 8, dtype=dtype), 0.5)
    assert set(twins.backends) == {"ort"}, twins.reasons
    # In float64 all of it is torch's.
    assert dtype is torch.float64 or calls_of(twins)["gather_backward"] >= 1


def _squares(result: Tensor, target: float) -> Tensor:
    return (result - target).square().mean()


SUMS = {
    "rows": lambda x: x.sum(0),
    "kept": lambda x: x / x.square().sum((1, 2), keepdim=True),
    "from behind": lambda x: x.sum((-1, 0)),
    "all": lambda x: x.sum() / 1000 + x,
    "a mean": lambda x: x - x.mean(1, keepdim=True),
}


@pytest.mark.parametrize("add", SUMS.values(), ids=SUMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_sums_over_wide_tensors(add: Any, dtype: torch.dtype) -> None:
    twins = Twins(nn.Sequential(nn.Linear(8, 512), Applied(add)).to(dtype), _squares)
    for rows in (3, 5, 3):
        twins.step(torch.randn(rows, 4, 8, dtype=dtype), 0.5)
    assert set(twins.backends) == {"ort"}, twins.reasons
    # The gradient of the bias is one; in float64 all of it is torch's.
    assert dtype is torch.float64 or calls_of(twins)["aten::sum"] >= 1


class Applied(nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)
