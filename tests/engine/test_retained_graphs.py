"""`retain_graph=True`: what may go back through the graph of a step once its backward has run."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options

SCRIPT = """\
import torch
from torch import nn
from meters import meter, train_another

SEEN = []


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 4)

    def forward(self, x, state=None):
        return self.rnn(x, state)


def cut_loose(states):
    return [state.detach() for state in states]


def passed_on(states):
    return [state + 0 for state in states]


def update(loss):
    loss.backward(retain_graph=True)
    return loss.item()


def update_by(loss, scaler):
    if scaler:
        scaler.scale(loss).backward(retain_graph=True)
    else:
        loss.backward(retain_graph=True)


def update_twice(loss):
    loss.backward(retain_graph=True)
    loss.backward()


def update_again_and_again(loss):
    for _ in range(2):
        loss.backward(retain_graph=True)


def update_and_keep(loss):
    loss.backward(retain_graph=True)
    SEEN.append(loss)


def train(batches, history, args):
    net, critic = Net(), nn.Linear(4, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    total, losses, seen = 0, [], {{}}
    state = torch.zeros(1, 2, 4)
    for i, x in enumerate(batches):
        {before}
        out, state = net(x, state)
        loss = out.pow(2).mean()
        optimizer.zero_grad()
        {backward}
        optimizer.step()
        {after}
    {end}
"""
PLAIN = {
    "before": "state = state.detach()",
    "backward": "loss.backward(retain_graph=True)",
    "after": "total += loss.item()",
    "end": "print(total)",
}


def code_of(**parts: str) -> str | None:
    steps = rewrite_source(SCRIPT.format(**{**PLAIN, **parts})).steps
    return next(step.code for step in steps if step.function == "train")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({}, id="a number is read off"),
        pytest.param({"before": "state = cut_loose([state])[0]"}, id="cut loose by a function"),
        pytest.param({"before": "(state,) = [s.detach() for s in [state]]"}, id="in a list"),
        pytest.param({"before": "state = torch.zeros(1, 2, 4)"}, id="begun anew"),
        pytest.param({"before": "", "after": "state = state.data"}, id="cut loose behind the step"),
        pytest.param({"after": "total += loss"}, id="a sum that is shown"),
        pytest.param({"after": "losses.append(loss)", "end": "print(losses[-1])"}, id="a list"),
        pytest.param({"after": "seen['loss'] = out.mean()", "end": "print(seen)"}, id="a dict"),
        pytest.param({"after": "total = torch.max(loss, out.max())"}, id="torch computes"),
        pytest.param(
            {"after": "last = (total + loss) / 2\n        total = last.item()"}, id="a sum"
        ),
        pytest.param({"after": "print(loss, out)"}, id="printed"),
        pytest.param({"after": "for o in out:\n            print(o)"}, id="in a loop"),
        pytest.param(
            {
                "backward": "if args.scale:\n            (loss * 2).backward(retain_graph=True)\n"
                "        else:\n            loss.backward(retain_graph=True)"
            },
            id="in both branches",
        ),
        pytest.param({"backward": "update(loss)"}, id="kept by a function"),
        pytest.param({"backward": "update_by(loss, args.scaler)"}, id="by one of two branches"),
        pytest.param({"backward": "loss.backward(retain_graph=args.keep)"}, id="perhaps kept"),
    ],
)
def test_a_graph_that_no_second_backward_reaches_is_spent(parts: dict[str, str]) -> None:
    assert code_of(**parts) is None


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"before": ""}, id="the state leads back"),
        pytest.param({"before": "state = passed_on([state])[0]"}, id="through a function"),
        pytest.param({"before": "if i % 2:\n            state = state.detach()"}, id="sometimes"),
        pytest.param({"before": "", "after": "kept = state\n        state = kept"}, id="renamed"),
        pytest.param({"after": "(total + loss).backward()"}, id="a second backward"),
        pytest.param({"after": "total += loss", "end": "total.backward()"}, id="of the sum"),
        pytest.param(
            {"after": "losses.append(loss)", "end": "torch.stack(losses).sum().backward()"},
            id="of the list",
        ),
        pytest.param(
            {"after": "seen['a'] = [out]", "end": "seen['a'][0].sum().backward()"}, id="of the dict"
        ),
        pytest.param(
            {"after": "mean = out.mean()\n        torch.autograd.grad(mean, net.parameters())"},
            id="gradients by torch",
        ),
        pytest.param({"after": "torch.autograd.backward([loss])"}, id="backward by torch"),
        pytest.param({"after": "critic(out).mean().backward()"}, id="of another loss"),
        pytest.param({"after": "train_another(out)"}, id="given to code of another file"),
        pytest.param({"after": "meter.update(loss)"}, id="given to an object"),
        pytest.param({"after": "history['loss'] = loss"}, id="in a dict of the caller"),
        pytest.param({"after": "history.append(loss)"}, id="in a list of the caller"),
        pytest.param({"after": "args.loss = loss"}, id="in an attribute"),
        pytest.param(
            {"after": "seen = history\n        seen['loss'] = loss"}, id="by another name"
        ),
        pytest.param(
            {"after": "losses.append(loss)", "end": "told = [one.backward() for one in losses]"},
            id="one by one",
        ),
        pytest.param(
            {"after": "losses.append(loss)", "end": "told = list(map(update, losses))"}, id="by map"
        ),
        pytest.param(
            {"after": "losses.append(loss)", "end": "for one in losses:\n        one.backward()"},
            id="in a loop",
        ),
        pytest.param({"after": "args += loss"}, id="in a tensor of the caller"),
        pytest.param({"after": "sums = args\n        sums += loss"}, id="by another name of it"),
        pytest.param(
            {"after": "if (kept := loss) is not None:\n            kept.backward()"},
            id="by a walrus",
        ),
        pytest.param({"after": "told = history.append(loss)"}, id="for a result"),
        pytest.param({"end": "return loss"}, id="returned"),
        pytest.param({"after": "yield out"}, id="yielded"),
        pytest.param({"end": "return lambda: loss.backward()"}, id="in a function"),
        pytest.param(
            {"backward": "loss.backward(retain_graph=True)\n        loss.backward()"}, id="twice"
        ),
        pytest.param(
            {
                "backward": "(loss + before.mean()).backward(retain_graph=True)",
                "after": "before = out",
                "before": "state = state.detach()",
            },
            id="in the next round's loss",
        ),
        pytest.param({"before": "", "backward": "update(loss)"}, id="kept by a function"),
        pytest.param({"backward": "update_twice(loss)"}, id="twice by a function"),
        pytest.param({"backward": "update_again_and_again(loss)"}, id="in a loop of a function"),
        pytest.param({"backward": "update_and_keep(loss)"}, id="a function keeps the loss"),
        pytest.param(
            {"before": "", "backward": "loss.backward(retain_graph=args.keep)"}, id="perhaps kept"
        ),
    ],
)
def test_a_graph_that_a_second_backward_may_reach_is_refused(parts: dict[str, str]) -> None:
    assert (code_of(**parts) or "").startswith("OW2")


SOMETIMES = """\
import torch
from torch import nn

model = nn.Linear(4, 2)
for i, x in enumerate(torch.ones(4, 3, 4)):
    {test}
        loss = model(x).pow(2).mean()
    loss.backward(retain_graph=True)
"""


@pytest.mark.parametrize(
    ("test", "code"),
    [
        ("if i % 2 == 0:", "OW201"),
        ("for x in (x, -x):", "OW201"),
        ("with torch.autocast('cpu'):", None),
    ],
)
def test_a_loss_that_not_every_round_computes_is_refused(test: str, code: str | None) -> None:
    (step,) = rewrite_source(SOMETIMES.format(test=test)).steps
    assert step.code == code


UNKNOWN = """\
import torch


def train(model, criterion, optimizer, batches):
    for x, y in batches:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        optimizer.step()
"""


def test_a_model_that_nothing_is_known_of_is_left_to_the_runtimes_guards() -> None:
    (guarded,) = rewrite_source(UNKNOWN).steps
    (alone,) = rewrite_source(UNKNOWN, Options(standalone=True)).steps
    assert (guarded.status, alone.code) == ("rewritten", "OW313")
