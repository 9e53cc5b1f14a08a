"""What keeps a call of torch inside a graph right: memory, lifetimes, failures."""

from __future__ import annotations

import gc

import pytest
import torch
import torch.nn.functional as F
from torch import nn

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")

from ortwrap.runtime import ort_module
from ortwrap.runtime.operators import calls


class Step(nn.Module):
    """A linear layer, ELU, and a loss of class indices."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, labels):
        return F.nll_loss(F.log_softmax(F.elu(self.model(x)), 1), labels)


@pytest.fixture
def step():
    torch.manual_seed(0)
    step = ort_module(Step, nn.Linear(4, 5))
    step(torch.randn(3, 4), torch.tensor([0, 1, 2])).backward()
    return step


def _loss(step):
    return step(torch.randn(3, 4), torch.tensor([0, 1, 2]))


def test_graph_of_autograd_is_freed_by_backward_and_without_it(step):
    gc.collect()
    before = len(calls._TICKETS)
    loss = _loss(step)
    assert len(calls._TICKETS) > before
    loss.backward()
    del loss
    gc.collect()
    assert len(calls._TICKETS) == before
    loss = _loss(step)
    del loss
    gc.collect()
    assert len(calls._TICKETS) == before
    assert [signature["backend"] for signature in step.report()["signatures"]] == ["ort"]


def test_two_forwards_keep_apart_until_their_backwards():
    torch.manual_seed(0)
    model = nn.Linear(4, 5)
    step, batches = ort_module(Step, model), [torch.randn(3, 4), torch.randn(3, 4)]
    labels = torch.tensor([0, 1, 2])
    step(batches[0], labels).backward()
    gradients = []
    for run in (Step(model), step):
        model.zero_grad()
        losses = [run(batch, labels) for batch in batches]
        (losses[1] * 3).backward()
        losses[0].backward()
        gradients.append(model.weight.grad.clone())
    torch.testing.assert_close(*gradients)


def test_results_that_lie_in_the_memory_of_an_input_are_copied():
    x = torch.arange(6.0)
    view, same, own = calls._own_memory([x[1:3], x, x * 2], [x])
    assert {view.data_ptr(), same.data_ptr(), own.data_ptr()}.isdisjoint({x.data_ptr()})
    x.zero_()
    assert view.tolist() == [1.0, 2.0]


class ProximalStep(nn.Module):
    """A loss with the squared distance of each parameter to what it was: FedProx."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, start):
        distances = (
            torch.norm(parameter - start[name]) ** 2
            for name, parameter in self.model.named_parameters()
        )
        return self.model(x).pow(2).mean() + 0.5 * sum(distances)


def test_the_gradient_of_a_power_of_one_number_fits_that_number():
    torch.manual_seed(0)
    model = nn.Linear(4, 5)
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    step = ort_module(ProximalStep, model)
    for _ in range(3):
        x = torch.randn(3, 4)
        expected = torch.autograd.grad(ProximalStep(model)(x, start), model.parameters())
        model.zero_grad()
        step(x, start).backward()
        for parameter, gradient in zip(model.parameters(), expected):
            torch.testing.assert_close(parameter.grad, gradient)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
    assert [signature["backend"] for signature in step.report()["signatures"]] == ["ort"]
