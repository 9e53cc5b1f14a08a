"""Training scripts put together at random from the idioms that people combine.

A program is a choice for each place of a training step: what the model returns, how it is called,
what stands between, what the loss is, what is added to it, how it is scaled and consumed, what is
read afterwards, and the scope that all of it stands in. Some choices belong together: a statement
that changes something, and a loss that reads it under this name or another.
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


def predict(net, batch):
    return net(batch)


class Schedule:
    def __init__(self):
        self.weight = 1.0

    def __str__(self):
        self.start()
        return "schedule"

    @property
    def moved_on(self):
        self.weight = 0.8 * self.weight
        return self.weight

    def start(self):
        self.weight = 0.9 * self.weight

    def value(self):
        return self.weight


class Tracker:
    def record(self, term):
        self.kept = [term]

    def total(self):
        return 0.1 * sum(self.kept)


def keep(term):
    TERMS[:] = [term]


def penalise(loss, output):
    loss += 0.1 * output.pow(2).mean()


def penalised(loss, output):
    penalise(loss, output)
    return loss


def masked_loss(output, target):
    output[:, 0] = -5.0
    return F.cross_entropy(output, target)


def check(target):
    if int(target.sum()) % 2:
        raise ValueError("odd")


class Objective:
    def __init__(self):
        self.values = []

    def __call__(self, output, target):
        loss = F.cross_entropy(output, target)
        self.values.append(loss.item())
        return loss


class Config:
    smooth, extra, parts = False, True, 2


TERMS, SETTINGS = [], {"scale": 1.0}
current, config, schedule, tracker = SETTINGS, Config(), Schedule(), Tracker()
objective = Objective()
marks, weights, counts, turns = set(), [0.7, 0.3, 0.5], torch.ones(3), iter(range(1, 1000))
device = torch.device("cpu")
scaler = torch.amp.GradScaler("cpu", enabled=False)
data = [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(3)]
model = Net("{kind}")
teacher = Net("plain")
criterion = nn.CrossEntropyLoss()
encoder = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
trained = [*model.parameters(), *encoder.parameters()]
optimizer = torch.optim.SGD(trained, lr=0.1, momentum=0.9)

"""

# What the model returns, and how the logits come out of it.
CALLS = {
    "plain": [
        "out = model(x)",
        "out = model(x.to(device))",
        "out: torch.Tensor = model(x)",
        "out = predict(model, x)",
        "code = encoder(x)\nout = model(code)",
        "out = model(encoder(x)) if config.extra else model(x)",
    ],
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

# What stands between, and a loss that reads what it changes.
TOGETHER = [
    ("marks.add(seen)", "loss = criterion(out, y) / (1 + len(marks))"),
    ("weights.sort()", "loss = criterion(out, y) * weights[0]"),
    ("weights.append(weights.pop(0))", "loss = criterion(out, y) * weights[0]"),
    ("schedule.start()", "loss = schedule.weight * criterion(out, y)"),
    ("schedule.start()", "loss = criterion(out, y) * schedule.value()"),
    ("print(schedule)", "loss = criterion(out, y) * schedule.weight"),
    ("print(schedule.moved_on)", "loss = criterion(out, y) * schedule.weight"),
    ("print(schedule.weight)", "loss = criterion(out, y) * schedule.moved_on"),
    (
        "counts.add_(torch.bincount(y, minlength=3))",
        "loss = F.cross_entropy(out, y, weight=1 / counts)",
    ),
    ("skipped = next(turns)", "loss = criterion(out, y) / next(turns)"),
    ("found = any(turn > seen for turn in turns)", "loss = criterion(out, y) / next(turns)"),
    ('SETTINGS["scale"] = 1.0 + seen', 'loss = criterion(out, y) * current["scale"]'),
    ("SETTINGS.update(scale=0.5)", 'loss = criterion(out, y) * current["scale"]'),
    ("Config.parts += 1", "loss = criterion(out, y) / config.parts"),
    ("keep(out.pow(2).mean())", "loss = criterion(out, y) + sum(TERMS)"),
    ("tracker.record(out.std())", "loss = criterion(out, y) + tracker.total()"),
    ("print(out.argmax(1).tolist())", "loss = masked_loss(out, y)"),
    ("print(out.sum().item(), objective.values)", "loss = objective(out, y)"),
    ("check(y)", "loss = objective(out, y)"),
    ("check(y)\nprint(out.mean().item())", "loss = criterion(out, y)"),
    ("teacher.train(epoch > 0)", "loss = criterion(out, y) + teacher(x).pow(2).mean()"),
]

# What adds to a loss that is known.
ADDED = [
    "penalise(loss, out)",
    "print(loss.item())\nloss = penalised(loss, out)",
    "keep(0.1 * out.pow(2).mean())\nloss = loss + sum(TERMS)",
    "tracker.record(out.abs().mean())\nprint(loss.item())\nloss = loss + tracker.total()",
    "if config.extra:\n    keep(out.std())\n    loss = loss + TERMS[0]",
    "SETTINGS['term'] = out.mean()\nloss = loss + current['term']",
    "loss = loss + weights[0] * teacher(x).mean()",
    "loss += epoch * out.var()",
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


# When the parameters are updated.
UPDATES = [
    "optimizer.step()",
    "optimizer.step()\nSETTINGS['scale'] *= 0.9",
    "if epoch == 1:\n    optimizer.step()\n    optimizer.zero_grad()",
]


@dataclass(frozen=True)
class Program:
    """One composed script, and how the step was composed, for the report of a failure."""

    text: str


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A script of one training step."""
    kind = draw(st.sampled_from(sorted(CALLS)))
    call = draw(st.sampled_from(CALLS[kind]))
    between, loss = ([], "") if kind == "loss" else _losses(draw)
    if "\n" not in call and call.startswith("out = ") and draw(st.booleans()):
        call, between, loss = "", [], f"loss = criterion({call[6:]}, y)"
    computed = [call, *between, loss]
    if call and draw(st.booleans()):
        computed.append(draw(st.sampled_from(ADDED)))
    computed += [draw(st.sampled_from(SCALES)), draw(st.sampled_from(GUARDS))]
    if "check(y)" in "\n".join(computed) or draw(st.booleans()):
        computed = [_tried(computed)]
    update = draw(st.sampled_from(UPDATES))
    clear = "" if "zero_grad" in "".join([*between, update]) else "optimizer.zero_grad()"
    trained = [clear, draw(st.sampled_from(SINKS)), update]
    after = draw(st.sampled_from(AFTER)) if call else ""
    scope = SCOPES[draw(st.sampled_from(sorted(SCOPES)))]
    loop = _loop(
        [*computed, *_in_phases(trained), after]
        if draw(st.booleans())
        else [*computed, *trained, after]
    )
    body = scope.format(
        loop=loop,
        indented=textwrap.indent(loop, " " * 4),
        method=textwrap.indent(_OF_THE_TRAINER.sub(r"self.\1", loop), " " * 8),
    )
    return Program(HEAD.replace("{kind}", kind) + body)


def _losses(draw: st.DrawFn) -> tuple[list[str], str]:
    """Statements between the model and the loss, and the loss."""
    between = draw(st.lists(st.sampled_from(BETWEEN), max_size=3))
    if not draw(st.booleans()):
        return between, draw(st.sampled_from(LOSSES))
    changes, loss = draw(st.sampled_from(TOGETHER))
    between.insert(draw(st.integers(0, len(between))), changes)
    return between, loss


def _tried(computed: list[str]) -> str:
    """The step goes on with the next batch where something does not like this one."""
    body = textwrap.indent("\n".join(filter(None, computed)), " " * 4)
    return f"try:\n{body}\nexcept ValueError as error:\n    print(error)\n    continue"


def _in_phases(trained: list[str]) -> list[str]:
    """The same loop evaluates in its first epoch."""
    inner = "\n".join(filter(None, trained))
    return ["if epoch > 0 or not config.extra:\n" + textwrap.indent(inner, " " * 4)]


def _loop(step: list[str]) -> str:
    return (
        "seen, total, history = 0, 0.0, []\nfor epoch in range(2):\n    beta = 0.1 * (epoch + 1)\n"
        "    for x, y in data:\n" + textwrap.indent("\n".join(filter(None, step)), " " * 8) + "\n"
    )
