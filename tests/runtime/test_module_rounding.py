"""A step that amplifies rounding runs on ONNX Runtime; one that is wrong does not."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import WithLoss

from ortwrap.runtime import ort_module
from ortwrap.runtime.compare import MOST_ROUNDED
from ortwrap.runtime.eager import gradients_for, run_eagerly
from ortwrap.runtime.plans import Call
from ortwrap.runtime.precision import how_far_rounding_goes


class Chaotic(nn.Module):
    """Makes a percent of a rounding error; while traced it may do what eager does not."""

    gain = 200

    def __init__(self, faults: dict[str, Callable[..., Tensor]]) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(64, 64), nn.Linear(64, 4)
        self.norm = nn.BatchNorm1d(64)
        self.faults = faults

    def forward(self, data: Tensor) -> Tensor:
        faults = self.faults if torch.jit.is_tracing() else {}
        hidden = self.first(data)
        for _ in range(3):
            hidden = torch.sin(self.gain * hidden)
        scale = faults.get("scale", lambda: 0.5)()
        momentum = faults.get("momentum", lambda: 0.1)()
        branch = faults.get("branch", lambda x: x)(torch.tanh(hidden))
        term = faults.get("term", lambda x: x)(0.01 * self.first.weight.pow(2).sum())
        norm = self.norm
        hidden = F.batch_norm(
            hidden, norm.running_mean, norm.running_var, training=True, momentum=momentum
        )
        return self.last(hidden * scale + 0.05 * branch) + term * torch.arange(4.0)


def step_of(faults: dict[str, Callable[..., Tensor]]) -> tuple[nn.Module, nn.Module]:
    model = Chaotic(faults)
    return model, ort_module(WithLoss, model, nn.CrossEntropyLoss())


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(32, 64), torch.randint(0, 4, (32,))


def test_rounding_that_a_step_amplifies_is_told_from_a_wrong_graph() -> None:
    model, step = step_of({})
    reference = copy.deepcopy(model)
    for number in range(4):
        data, target = batch()
        before = [value.clone() for value in model.state_dict().values()]
        loss = step(data, target)
        loss.backward()
        expected = F.cross_entropy(reference(data), target)
        torch.testing.assert_close(loss, expected, rtol=0.02, atol=0)
        torch.testing.assert_close(model.state_dict(), reference.state_dict(), rtol=0.02, atol=0.02)
        if number == 0:
            assert torch.equal(loss, expected)
            assert [value.dtype for value in before] == [
                value.dtype for value in model.state_dict().values()
            ]
    (row,) = step.report()["signatures"]
    assert (row["ort_calls"], row["proved_in_double"]) == (3, True)


KERNELS: dict[str, Callable[[], Tensor]] = {
    "float()": lambda: torch.hann_window(3).float(),
    "to(float32)": lambda: torch.hann_window(3).to("cpu", torch.float32),
    "type(FloatTensor)": lambda: torch.hann_window(3).type(torch.FloatTensor),
    "type of that name": lambda: torch.hann_window(3).type("torch.FloatTensor"),
    "dtype=float32": lambda: torch.full((3,), 0.3, dtype=torch.float32),
}


@pytest.mark.parametrize("name", KERNELS)
def test_single_precision_that_is_asked_for_by_name_is_double_in_the_proof(name: str) -> None:
    class Smoothed(Chaotic):
        """A kernel of another precision than its input is refused by a convolution."""

        def forward(self, data: Tensor) -> Tensor:
            kernel = KERNELS[name]()[None, None]
            smooth = F.conv1d(data[:, None], kernel, padding=1)[:, 0]
            return super().forward(smooth.float())

    model = Smoothed({})
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    for _ in range(3):
        step(*batch()).backward()
    (row,) = step.report()["signatures"]
    assert (row["ort_calls"], row["proved_in_double"]) == (2, True)
    assert all(parameter.dtype is torch.float32 for parameter in model.parameters())


FAULTS: dict[str, dict[str, Callable[..., Tensor]]] = {
    "a term is dropped": {"term": torch.zeros_like},
    "a branch is detached": {"branch": lambda x: x.detach()},
    "other BatchNorm statistics": {"momentum": lambda: 0.11},
    "a scalar of another call": {"scale": lambda: 0.503},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_graph_is_found_out_among_the_noise(name: str) -> None:
    _, step = step_of(FAULTS[name])
    step(*batch())
    (row,) = step.report()["signatures"]
    assert row["backend"] == "eager"
    assert "something else than eager" in row["reason"]


def test_a_calm_step_leaves_no_room_for_rounding() -> None:
    """A graph that is wrong in single precision only has operators of torch in double."""
    shares = []
    for model in (Chaotic({}), nn.Sequential(nn.Linear(64, 8), nn.ELU(), nn.Linear(8, 4))):
        wrapper = WithLoss(model, nn.CrossEntropyLoss())
        args = batch()
        call = Call(args, {}, list(args), [])
        eager = run_eagerly(wrapper, call)
        gradients = gradients_for(wrapper, call, eager)
        shares.append(how_far_rounding_goes(wrapper, call, eager, gradients))
    assert shares[0] == MOST_ROUNDED
    assert 0 < shares[1] < 1e-4


class Exploding(nn.Module):
    """Its weight says how much it makes of a rounding error; the trace makes one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(64, 64), nn.Linear(64, 4)
        self.gain = nn.Parameter(torch.tensor(300.0))

    def forward(self, data: Tensor) -> Tensor:
        hidden = self.first(data)
        if torch.jit.is_tracing():
            hidden = hidden * (1 + torch.finfo(hidden.dtype).eps)
        for _ in range(3):
            hidden = torch.sin(self.gain * hidden)
        return self.last(hidden)


def test_a_step_that_is_beyond_comparison_is_compared_when_it_is_calmer() -> None:
    model = Exploding()
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    step(*batch())
    (row,) = step.report()["signatures"]
    assert row["backend"] == "eager"
    assert "beyond recognition" in row["reason"]
    with torch.no_grad():
        model.gain.fill_(1.0)
    for _ in range(3):
        step(*batch())
    rows = {row["backend"]: row["ort_calls"] for row in step.report()["signatures"]}
    assert rows == {"eager": 0, "ort": 2}


class Preference(nn.Module):
    """Trains a copy of a frozen model, and reports how often it already prefers the other half."""

    def __init__(self, count: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.policy = nn.Sequential(
            nn.Linear(64, 64), nn.LayerNorm(64), nn.GELU(), nn.Linear(64, 1)
        )
        self.reference = copy.deepcopy(self.policy).requires_grad_(False)
        self.count = count

    def forward(self, data: Tensor) -> tuple[Tensor, Tensor]:
        margin = self.policy(data) - self.reference(data)
        if torch.jit.is_tracing():
            margin = margin + torch.finfo(margin.dtype).eps
        return -F.logsigmoid(margin).mean(), self.count((margin > 0).detach())


@pytest.mark.parametrize(
    "count", [lambda wins: wins.float().mean(), lambda wins: wins.sum()], ids=["share", "count"]
)
def test_a_tie_of_two_equal_models_does_not_end_in_eager(count: Callable[[Tensor], Tensor]) -> None:
    model = Preference(count)
    step = ort_module(Alone, model)
    step(torch.randn(32, 64))
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.mul_(1.1)
    for _ in range(3):
        data = torch.randn(32, 64)
        loss, wins = step(data)
        expected, counted = model(data)
        torch.testing.assert_close((loss, wins), (expected, counted))
    rows = {row["backend"]: row["ort_calls"] for row in step.report()["signatures"]}
    assert rows == {"eager": 0, "ort": 2}


class Alone(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor) -> tuple[Tensor, Tensor]:
        return self.model(data)
