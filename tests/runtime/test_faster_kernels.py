"""Where torch's kernels are much faster than ONNX Runtime's, graphs call them, and train alike."""

from __future__ import annotations

from collections import Counter

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
    assert set(twins.backends) == {"ort"}
    found = calls_of(twins)
    assert found["gelu_backward"] == found["layer_norm_backward"] == 1
    assert found["embedding_backward"] == 1
    assert sum(found[f"product_{form}"] for form in ("nn", "nt", "tn", "tt")) == 3, found


def test_small_matrices_stay_with_onnx_runtime() -> None:
    twins = Twins(nn.Sequential(nn.Embedding(100, 8), nn.Flatten(), nn.Linear(24, 5)), F.mse_loss)
    for _ in range(2):
        twins.step(torch.randint(100, (6, 3)), torch.randn(6, 5))
    assert set(twins.backends) == {"ort"}
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
    assert set(twins.backends) == {"ort"}
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
    assert set(twins.backends) == {"ort"}
