"""What is generated goes by no name that the script means something else by."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

UNNAMED_LOSS = {
    "a function around it binds the name": """\
import torch
from torch import nn


def fit(loader, model: nn.Module, optimizer):
    loss = []

    def step(x):
        output = model(x)
        output.sum().backward()
        optimizer.step()
        loss.append(output.max())

    for x in loader:
        step(x)
""",
    "only another file may bind the name": """\
from torch import nn
from losses import *


def fit(loader, model: nn.Module, optimizer):
    for x in loader:
        output = model(x)
        output.sum().backward()
        optimizer.step()
        print(loss.total, output.max())
""",
}


@pytest.mark.parametrize("text", UNNAMED_LOSS.values(), ids=UNNAMED_LOSS)
def test_a_loss_without_a_name_gets_one_that_is_free(text: str) -> None:
    result = rewrite_source(text)
    assert result.status == "rewritten", result.steps
    assert "total_loss.backward()" in result.text


def test_an_import_of_the_runtime_that_a_parameter_hides_is_not_called() -> None:
    result = rewrite_source("""\
import torch
from torch import nn
from ortwrap.runtime import ort_module


def step(model: nn.Module, ort_module, x):
    loss = ort_module(model(x)).sum()
    loss.backward()
""")
    assert result.status == "rewritten", result.steps
    assert "from ortwrap.runtime import ort_module as ort_module_" in result.text
    assert "model_with_loss = ort_module_(ModuleWithLoss, model, ort_module)" in result.text


def test_a_wrapper_does_not_hide_what_a_function_around_it_binds() -> None:
    result = rewrite_source("""\
from torch import nn


def fit(loader, model: nn.Module, optimizer):
    model_with_loss = "a file"

    def step(x):
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        print(model_with_loss)

    for x in loader:
        step(x)
""")
    assert result.status == "rewritten", result.steps
    assert "print(model_with_loss)" in result.text
    assert "    model_with_loss = ort_module(" not in result.text
