"""Training scripts put together at random from the idioms that people combine.

A program is a choice for each place of a training step: what the model returns, how it is called,
what stands between, what the loss is, how it is scaled and consumed, what is read afterwards, and
the scope that all of it stands in.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from hypothesis import strategies as st

HEAD = """\
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.body, self.head = nn.Linear(4, 5), nn.Linear(5, 3)
        self.drop = nn.Dropout(0.2)  # draws show whether the order of calls is kept

    def forward(self, x, y=None):
        features = self.drop(torch.tanh(self.body(x)))
        logits = self.head(features)
        if self.kind == "tuple":
            return logits, features
        if self.kind == "dict":
            return {"logits": logits, "features": features}
        if self.kind == "loss":
            return F.cross_entropy(logits, y), logits
        return logits


def own_loss(output, target, weight=1.0):
    \"\"\"With a docstring\"\"\"
    return weight * F.cross_entropy(output, target)


def loss_and_count(output, target):
    return F.cross_entropy(output, target), output.argmax(1).eq(target).sum()


def weight_of(epoch):
    return 1.0 / (1.0 + math.exp(-epoch))


def normalize(batch):
    return batch - batch.mean(0)


def run_backward(loss, scaler):
    scaler.scale(loss).backward()


class Config:
    smooth, extra, parts = False, True, 2


config = Config()
device = torch.device("cpu")
scaler = torch.amp.GradScaler("cpu", enabled=False)
data = [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(3)]
model = Net("{kind}")
teacher = Net("plain")
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

"""

# What the model returns, and how the logits come out of it.
CALLS = {
    "plain": ["out = model(x)", "out = model(x.to(device))", "out: torch.Tensor = model(x)"],
    "tuple": ["out, features = model(x)", "both = model(x)\nout = both[0]", "out, _ = model(x)"],
    "dict": ['result = model(x)\nout = result["logits"]', 'out = model(x)["logits"]'],
    "loss": ["loss, out = model(x, y)", "both = model(x, y=y)\nloss = both[0]\nout = both[1]"],
}

BETWEEN = [
    "out = out * 1.5",
    "out = out.view(-1, 3)",
    "out = out[:, :3]",
    "# a remark on the logits\nout = out.clamp(-5, 5)",
    "optimizer.zero_grad()",
    "seen += len(x)",
    "size = x.size(0)",
    'print("in between")',
    "target = y.clone()",
    "y = y.roll(1)",
    "x = x * 2",
    "x.mul_(1.1)",
    "noise = torch.rand(3)\nprint(noise.sum().item())",
    "print(out.mean().item())",
    "guess = out.argmax(1)",
    "kept = out",
    "with torch.no_grad():\n    peek = model(x)",
    "before = out.detach().clone()\nout = out + 1",
    "hint = teacher(x).detach()\nout = out - 0.1 * hint",
    "with torch.no_grad():\n    soft = teacher(x).softmax(1)\nout = out + 0.1 * soft",
    "x = normalize(x)\nout = out + 0.1 * teacher(x)",
    "scale = out.detach().abs().max()\nout = out / scale",
    "out = out + out.data.mean(0)",
    "score = out\nout = out * 0.5\nprint(score.sum().item())",
    'if len(x) < 2:\n    raise ValueError("too short")',
    "history.append(out.detach())",
    "for turn in range(x.size(0) // 3):\n    out = out * 0.9",
    "if epoch > 0:\n    bias = out.mean(0)\n    out = out - bias",
]

LOSSES = [
    "loss = criterion(out, y)",
    "loss = F.cross_entropy(out, y, reduction='sum') / len(x)",
    "loss = own_loss(out, y, weight=0.5)",
    "loss, count = loss_and_count(out, y)",
    "first = criterion(out, y)\nsecond = out.pow(2).mean()\nloss = first + beta * second",
    "loss = criterion(out, y)\nloss += 0.1 * out.abs().mean()",
    "loss = 0.0\nfor part in out.chunk(2):\n    loss = loss + part.pow(2).mean()",
    "loss = criterion(out, y)\nif config.extra:\n    loss = loss + 0.1 * out.mean()",
    "loss = own_loss(out, y) if config.smooth else criterion(out, y)",
    "losses = [criterion(out, y), out.std()]\nloss = sum(losses)",
    'terms = {"ce": criterion(out, y), "norm": out.norm()}\nloss = terms["ce"] + terms["norm"]',
    "loss = criterion(out, y) * weight_of(epoch)",
    "loss = F.kl_div(out.log_softmax(1), out.detach().softmax(1) + 0.1, reduction='sum')",
    "loss = criterion(out, y)\nif epoch > 0:\n    loss = loss + teacher(x).pow(2).mean()",
    "loss = (out.log_softmax(1)[torch.arange(len(y)), y] * -1).mean()",
    "loss = criterion(out, y) + 1e-3 * sum(p.pow(2).sum() for p in model.parameters())",
]

SCALES = ["", "loss = loss / config.parts", "loss /= 2", "loss = loss * (1.0 / config.parts)"]

GUARDS = [
    "",
    "if torch.isnan(loss):\n    continue",
    'if not math.isfinite(loss.item()):\n    raise ValueError("diverged")',
    "total += loss.item()",
    'print(f"{loss.item():.6f}")',
]

SINKS = [
    "loss.backward()",
    "scaler.scale(loss).backward()",
    "(loss / 2).backward()",
    "run_backward(loss, scaler)",
    "if config.smooth:\n    scaler.scale(loss).backward()\nelse:\n    loss.backward()",
]

AFTER = [
    "",
    "last = out.sum()",
    "history.append(loss.item())",
    "history.append(out.detach())",
    "loss = loss.detach() * 2\nprint(loss)",
    "out = out.detach()\nout.zero_()\nprint(out.sum())",
    "print(out.argmax(1).eq(y).sum().item())",
    "best = out.detach().max().item()\nprint(best)",
    "with torch.no_grad():\n    out = F.softmax(out, dim=1)\n    print(out.sum().item())",
    "with torch.no_grad():\n    loss = out.mean()\n    print(loss)",
]

SCOPES = {
    "module": "{loop}",
    "main": "def main():\n{indented}\n\n\nif __name__ == '__main__':\n    main()\n",
    "parameters": (
        "def train(model, criterion, optimizer):\n{indented}\n\n\n"
        "train(model, criterion, optimizer)\ntrain(model, criterion, optimizer)\n"
    ),
    "globals": "def train(rounds):\n{indented}\n\n\ntrain(1)\ntrain(2)\n",
    "method": (
        "class Trainer:\n    def __init__(self):\n        self.model = model\n"
        "        self.criterion = criterion\n        self.optimizer = optimizer\n\n"
        "    def train(self):\n{method}\n\n\nTrainer().train()\n"
    ),
}

_OF_THE_TRAINER = re.compile(r"\b(model|criterion|optimizer)\b(?=[.(])")


@dataclass(frozen=True)
class Program:
    """One composed script, and how the step was composed, for the report of a failure."""

    text: str


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A script of one training step."""
    kind = draw(st.sampled_from(sorted(CALLS)))
    call = draw(st.sampled_from(CALLS[kind]))
    loss = "" if kind == "loss" else draw(st.sampled_from(LOSSES))
    between = [] if kind == "loss" else draw(st.lists(st.sampled_from(BETWEEN), max_size=3))
    if "\n" not in call and call.startswith("out = ") and draw(st.booleans()):
        call, between, loss = "", [], f"loss = criterion({call[6:]}, y)"
    after = draw(st.sampled_from(AFTER)) if call else ""
    step = [
        call,
        *between,
        loss,
        draw(st.sampled_from(SCALES)),
        draw(st.sampled_from(GUARDS)),
        "" if "optimizer.zero_grad()" in between else "optimizer.zero_grad()",
        draw(st.sampled_from(SINKS)),
        "optimizer.step()",
        after,
    ]
    loop = (
        "seen, total, history = 0, 0.0, []\nfor epoch in range(2):\n    beta = 0.1 * (epoch + 1)\n"
        "    for x, y in data:\n" + textwrap.indent("\n".join(filter(None, step)), " " * 8) + "\n"
    )
    scope = SCOPES[draw(st.sampled_from(sorted(SCOPES)))]
    body = scope.format(
        loop=loop,
        indented=textwrap.indent(loop, " " * 4),
        method=textwrap.indent(_OF_THE_TRAINER.sub(r"self.\1", loop), " " * 8),
    )
    return Program(HEAD.replace("{kind}", kind) + body)
