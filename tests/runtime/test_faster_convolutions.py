"""Convolutions, pools and activations that graphs leave to torch's kernels train as eager does."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")


def borrowed(twins: Twins) -> Counter[str]:
    """How often each of torch's kernels stands in a graph under a name of ours."""
    found: Counter[str] = Counter()
    for plan in twins.wrapper._dispatcher.plans():
        for node in plan.graph.optimized_model.graph.node:
            names = [part.s.decode() for part in node.attribute if part.name == "operator"]
            found.update(name.replace("ortwrap::", "") for name in names if "call_" not in name)
    return found


CONVOLUTIONS = {
    "plain": (nn.Conv2d(4, 6, 3), (8, 9)),
    "no bias": (nn.Conv2d(4, 6, 3, bias=False), (8, 9)),
    "stride and padding": (nn.Conv2d(4, 6, 3, stride=(2, 1), padding=(1, 2)), (8, 9)),
    "dilation": (nn.Conv2d(4, 6, 3, dilation=2), (8, 9)),
    "groups": (nn.Conv2d(4, 6, 3, groups=2), (8, 9)),
    "each channel for itself": (nn.Conv2d(4, 8, 3, groups=4), (8, 9)),
    "points": (nn.Conv2d(4, 6, 1), (8, 9)),
    "same": (nn.Conv2d(4, 6, 4, padding="same"), (8, 9)),
    "circular": (nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), (8, 9)),
    "one dimension": (nn.Conv1d(4, 6, 3, padding=1), (9,)),
    "three dimensions": (nn.Conv3d(4, 6, 3, stride=2), (5, 6, 7)),
}


def over_pixels(result: Tensor, target: Tensor) -> Tensor:
    return (result.flatten(2).mean(2) - target).square().mean()


@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("trains", ["all", "no weight", "no bias", "only what comes before"])
def test_gradients_of_convolutions(kind: str, trains: str) -> None:
    layer, sizes = CONVOLUTIONS[kind]
    model = nn.Sequential(layer, nn.ReLU(), Channels(layer.out_channels, len(sizes)))
    if trains == "only what comes before":
        model = nn.Sequential(Channels(4, len(sizes)), *model[:-1])
    for name, parameter in layer.named_parameters():
        parameter.requires_grad_(trains == "all" or trains == f"no {_other(name)}")
    twins = Twins(model, over_pixels)
    for rows in (3, 5, 3):
        twins.step(torch.randn(rows, 4, *sizes), torch.randn(rows, layer.out_channels))
    assert set(twins.backends) == {"ort"}, twins.reasons
    if layer.padding != "same" and layer.padding_mode == "zeros":
        assert borrowed(twins)["convolution"] >= 1


def _other(name: str) -> str:
    return "bias" if name == "weight" else "weight"


class Channels(nn.Module):
    """A factor for each channel."""

    def __init__(self, channels: int, axes: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.rand(channels, *[1] * axes) + 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


def test_a_network_of_convolutions() -> None:
    model = nn.Sequential(
        *(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)),
        *(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=1, padding=1)),
        *(nn.Conv2d(8, 4, 1, bias=False), nn.Flatten(), nn.Linear(4 * 36, 3)),
    )
    twins = Twins(model, nn.CrossEntropyLoss())
    for rows in (4, 2, 4):
        twins.step(torch.randn(rows, 3, 13, 13), torch.randint(3, (rows,)))
    assert set(twins.backends) == {"ort"}, twins.reasons
    found = borrowed(twins)
    assert found["convolution"] == 3
    # No gradient of the images is asked for, and the last has no bias.
    assert found["convolution_backward_weight_bias"] == 1
    assert found["convolution_backward_input_weight_bias"] == 1
    assert found["convolution_backward_input_weight"] == 1
    assert found["max_pool2d"] == found["relu_backward"] == 2


ACTIVATIONS = {
    "relu": (F.relu, "relu_backward"),
    "softmax": (lambda x: F.softmax(x, -1), "softmax_backward"),
    "softmax over rows": (lambda x: F.softmax(x, 1), "softmax_backward"),
    "log_softmax": (lambda x: F.log_softmax(x, -1), "log_softmax_backward"),
    "log_softmax over an axis from behind": (
        lambda x: F.log_softmax(x, -2),
        "log_softmax_backward",
    ),
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_gradients_of_activations(kind: str) -> None:
    function, kernel = ACTIVATIONS[kind]
    twins = Twins(Activated(function), F.mse_loss)
    for rows in (3, 5, 3):
        twins.step(torch.randn(rows, 4, 6), torch.randn(rows, 4, 6))
    assert set(twins.backends) == {"ort"}, twins.reasons
    assert borrowed(twins)[kernel] == 1


class Activated(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.function, self.layer = function, nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.layer(x))


def test_small_layers_stay_with_onnx_runtime() -> None:
    twins = Twins(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)), F.mse_loss)
    for rows in (3, 5, 3):
        twins.step(torch.randn(rows, 8), torch.randn(rows, 4))
    assert set(twins.backends) == {"ort"}, twins.reasons
    assert not borrowed(twins)
