"""A loop that calls `model.training_step(batch)` lifts the call, if that step only computes."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

_LOOP = """
for batch in loader:
    loss = model.training_step(batch)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
_CLASS = """\
import torch
import torch.nn.functional as F
from torch import nn


class Base(nn.Module):
    def training_step(self, batch):
        images, labels = batch
        out = self(images)
        {more}
        return F.cross_entropy(out, labels)


class Net(Base):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(x)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""


def test_a_step_that_only_computes_is_lifted() -> None:
    text = rewrite_source(_CLASS.format(more="out = out * 2") + _LOOP).text
    assert "return self.model.training_step(batch)" in text


@pytest.mark.parametrize(
    "more",
    ["self.seen.append(len(labels))", "print(out.shape)", "self.count = self.count + 1"],
)
def test_a_step_that_does_more_is_refused(more: str) -> None:
    (step,) = rewrite_source(_CLASS.format(more=more) + _LOOP).steps
    assert step.code == "OW107"


def test_a_step_of_another_file_is_refused() -> None:
    script = (
        "import torch\nfrom models import Net\n\nmodel = Net()\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n" + _LOOP
    )
    (step,) = rewrite_source(script).steps
    assert (step.code, "another file" in step.message) == ("OW107", True)


def test_the_iterable_of_a_comprehension_is_passed_once() -> None:
    loop = _LOOP.replace("(batch)", "([v[i] for v in batch.values()])")
    text = rewrite_source(_CLASS.format(more="pass") + "i = input()\n" + loop).text
    assert "def forward(self, batch, i):" in text


_MEMBERS = """\
import torch
from torch import nn

nets = {made}
criterion = nn.MSELoss()
x, y = torch.ones(3, 4), torch.ones(3, 2)
"""


@pytest.mark.parametrize(
    ("made", "loop"),
    [
        ("[nn.Linear(4, 2) for _ in range(2)]", "for n in nets:"),
        ("[nn.Linear(4, 2), nn.Linear(4, 2)]", "for i, n in enumerate(nets):"),
        ("{'a': nn.Linear(4, 2)}", "for n in nets.values():"),
        ("{'a': nn.Linear(4, 2)}", "for name, n in nets.items():"),
        ("[nn.Linear(4, 2)]", "for i in range(1):\n    n = nets[i]"),
    ],
)
def test_modules_of_a_list_or_dict_are_known_by_the_name_they_get(made: str, loop: str) -> None:
    script = f"{_MEMBERS.format(made=made)}{loop}\n    criterion(n(x), y).backward()\n"
    assert "n_with_loss = ort_module(ModuleWithLoss, n, criterion)" in rewrite_source(script).text


@pytest.mark.parametrize(
    "step",
    [
        "loss = sum(criterion(n(x), y) for n in nets)\nloss.backward()",
        "loss = 0\nfor n in nets:\n    loss = loss + criterion(n(x), y)\nloss.backward()",
    ],
)
def test_all_modules_of_a_list_are_handed_over_one_by_one(step: str) -> None:
    script = f"{_MEMBERS.format(made='[nn.Linear(4, 2), nn.Linear(4, 2)]')}{step}\n"
    text = rewrite_source(script).text
    assert "nets_with_loss = ort_module(ModuleWithLoss, criterion, *nets)" in text
    assert "self.nets = nn.ModuleList(nets)" in text


def test_a_list_that_grows_is_handed_over_where_it_has() -> None:
    loop = (
        "for i in range(3):\n    nets.append(nn.Linear(4, 2))\n"
        "    loss = sum(criterion(n(x), y) for n in nets)\n    loss.backward()\n"
    )
    text = rewrite_source(_MEMBERS.format(made="[nn.Linear(4, 2)]") + loop).text
    assert text.index("nets.append(") < text.index("ort_module(ModuleWithLoss, criterion, *nets)")


@pytest.mark.parametrize(
    ("made", "step", "code"),
    [
        pytest.param(
            "{'a': nn.Linear(4, 2)}", "sum(n(x) for n in nets.values())", "OW112", id="dict"
        ),
        pytest.param(
            "[nn.Linear(4, 2)]\nothers = [nn.Linear(2, 2)]",
            "sum(m(n(x)) for n in nets for m in others)",
            "OW112",
            id="two lists",
        ),
        pytest.param(
            "[nn.Linear(4, 2)]\nmodel = nn.Linear(4, 2)\n\n\ndef all_of(x):\n    out = 0\n"
            "    for n in nets:\n        out = out + n(x)\n    return out\n\n",
            "model(x) + all_of(x)",
            "OW107",
            id="a helper that is not given the list",
        ),
    ],
)
def test_modules_that_the_wrapper_would_not_train_are_refused(
    made: str, step: str, code: str
) -> None:
    script = f"{_MEMBERS.format(made=made)}loss = criterion({step}, y)\nloss.backward()\n"
    assert [step.code for step in rewrite_source(script).steps] == [code]


def test_the_keys_of_a_dict_are_no_modules() -> None:
    made = _MEMBERS.format(made="{'a': nn.Linear(4, 2)}")
    text = rewrite_source(f"{made}for k in nets:\n    criterion(nets[k](x), y).backward()\n").text
    assert "    net_with_loss = ort_module(ModuleWithLoss, nets[k], criterion)\n" in text


def test_what_a_list_of_data_holds_is_no_module() -> None:
    script = (
        f"{_MEMBERS.format(made='[torch.ones(4)]')}"
        "for n in nets:\n    loss = (n * 2).sum()\n    loss.backward()\n"
    )
    assert [step.status for step in rewrite_source(script).steps] == ["refused"]


def test_a_copy_of_a_batch_is_no_module() -> None:
    script = (
        f"import copy\n{_MEMBERS.format(made='nn.Linear(4, 2)')}kept = copy.deepcopy(x)\n"
        "criterion(nets(kept), y).backward()\n"
    )
    assert "ort_module(ModuleWithLoss, nets, criterion)" in rewrite_source(script).text


def test_a_compiled_function_is_no_module() -> None:
    script = (
        f"{_MEMBERS.format(made='nn.Linear(4, 2)')}"
        "def run(net, x):\n    return net(x)\n\n\nrun = torch.compile(run)\n"
        "criterion(run(nets, x), y).backward()\n"
    )
    assert "nets_with_loss = ort_module(ModuleWithLoss, nets, " in rewrite_source(script).text


def test_a_helper_may_ask_the_first_parameter_for_its_device() -> None:
    script = (
        f"{_MEMBERS.format(made='nn.Linear(4, 2)')}"
        "def run(net, x):\n    return net(x.to(next(net.parameters()).device))\n\n\n"
        "criterion(run(nets, x), y).backward()\n"
    )
    assert "nets_with_loss = ort_module(ModuleWithLoss, nets, " in rewrite_source(script).text


_COMPILED = """\
import torch
from torch import nn


class Learner:
    def __init__(self):
        self.net = nn.Linear(4, 2)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.compiled = torch.compile({what})

    def losses(self, x):
        return self.net(x).square().mean()

    def learn(self, x):
        loss = self.compiled(x).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
"""


@pytest.mark.parametrize(("what", "code"), [("self.net", None), ("self.losses", "OW101")])
def test_a_compiled_method_is_no_module(what: str, code: str | None) -> None:
    (step,) = rewrite_source(_COMPILED.format(what=what)).steps
    assert step.code == code


def test_what_a_module_returned_is_no_module() -> None:
    text = """\
import torch
from torch import nn


def train(model, criterion, batches, optimizer, gated):
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        if gated:
            out_net = model(x)
        else:
            out_net = model.forward_gate(x)
        loss = criterion(out_net, y)
        loss.backward()
        optimizer.step()
"""
    result = rewrite_source(text)
    assert [step.status for step in result.steps] == ["rewritten"], result.steps
    assert "ort_module(ModuleWithLoss, model, criterion)" in result.text
