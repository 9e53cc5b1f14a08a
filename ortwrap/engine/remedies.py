"""What the user can write instead: each refusal's example once more, in a form that is rewritten.

Only pages read this. Of OW205 the penalty stays as it is and the rest of the loss is rewritten; of
OW312 the step is on ONNX Runtime already. OW901 has none: its cause is a mistake of ortwrap's.
"""

from __future__ import annotations

from ortwrap.engine.refusal_pages.page import HEAD

REMEDIES: dict[str, str] = {
    "OW101": """\
import torch

from helpers import build_model

model = build_model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss = model(torch.ones(3)).sum()
loss.backward()
""",
    "OW102": """\
import torch


def step(model, batch, optimizer):
    loss = model(batch).mean()
    loss.backward()
    optimizer.step()
""",
    "OW103": """\
import torch

from training import build_model, criterion, loader

model = build_model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in loader:
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
""",
    "OW104": f"""\
{HEAD}for target in torch.zeros(2, 3, 2):
    out = model(torch.ones(3, 4))
    loss = criterion(out, target)
    loss.backward()
""",
    "OW105": f"""\
{HEAD}out = model(torch.ones(3, 4))
loss = sum(out for i in range(3)).mean()
loss.backward()
for i in range(3):
    print(i)
""",
    "OW106": f"""\
from mixing import Mixing
{HEAD}

class Trainer(Mixing):
    def __init__(self):
        super().__init__()
        self.y_b = None

    def step(self, x, y):
        out = model(x)
        loss = criterion(out, y)
        if self.mixup:
            loss = loss + criterion(out, self.y_b)
        loss.backward()
""",
    "OW107": f"""\
{HEAD}optimizer = torch.optim.SGD(model.parameters(), 0.1)


def compute_loss(x, y):
    return criterion(model(x), y)


def train(x, y):
    optimizer.zero_grad()
    loss = compute_loss(x, y)
    loss.backward()
""",
    "OW108": f"""\
{HEAD}for i in range(3):
    out = model(torch.ones(3, 4))
    extra = out
    if i:
        loss = criterion(extra, out)
    else:
        loss = out.mean()
    loss.backward()
    print(out)
""",
    "OW109": f"""\
import my_functional
import torch.nn.functional
{HEAD}F = torch.nn.functional if torch.cuda.is_available() else my_functional


def train(x, y):
    loss = F.mse_loss(model(x), y)
    loss.backward()
""",
    "OW110": """\
import torch
from torch import nn


class Weights(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(3))

    def forward(self):
        return self.w * 2


model = Weights()
loss = (model().sum() - 1) ** 2
loss.backward()
""",
    "OW111": """\
import torch
from torch import nn


class Trainer:
    def __init__(self, net):
        self.net = net
        self.criterion = nn.MSELoss()

    def step(self, x, y):
        self.loss = self.criterion(self.net(x), y)
        self.loss.backward()
""",
    "OW112": """\
import torch
from torch import nn

models = nn.ModuleList([nn.Linear(4, 2), nn.Linear(4, 2)])
criterion = nn.MSELoss()
x, y = torch.ones(3, 4), torch.ones(3, 2)
for i in range(2):
    model = models[i]
    loss = criterion(model(x), y)
    loss.backward()
""",
    "OW113": """\
import torch
from torch import nn
from torch.utils.data import DataLoader

model = nn.Linear(4, 2)
loader = DataLoader(torch.ones(8, 4), batch_size=2)
for x in loader:
    loss = model(x).pow(2).mean()
    loss.backward()
""",
    "OW114": f"""\
import time

{HEAD}optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def step(x):
    start = time.time()
    out = model(x)
    forward_and_loss = time.time() - start
    out.sum().backward()
    optimizer.step()
    print(forward_and_loss, time.time() - start)
""",
    "OW115": f"""\
{HEAD}x, y = torch.ones(3, 4), torch.zeros(3, 2)
try:
    out = model(x)
    loss = criterion(out, y)
    loss.backward()
except RuntimeError:
    print(x.shape)
    raise
""",
    "OW201": """\
import torch
from torch import nn

model = nn.GRUCell(4, 2)
criterion = nn.MSELoss()
state = torch.zeros(3, 2)
for x, y in zip(torch.ones(8, 3, 4), torch.zeros(8, 3, 2)):
    state = model(x, state.detach())
    loss = criterion(state, y)
    loss.backward()
""",
    "OW202": f"""\
{HEAD}out = model(torch.ones(3, 4))
loss = out.mean() + out.std()
loss.backward()
""",
    "OW203": f"""\
{HEAD}x, y = torch.ones(3, 4), torch.zeros(3, 2)
y.fill_(1.0)
out = model(x)
loss = criterion(out, y)
print(out)
loss.backward()
""",
    "OW204": f"""\
{HEAD}x, y, history = torch.ones(3, 4), torch.zeros(3, 2), []
fit = criterion(model(x), y)
loss = fit + model(x).abs().mean()
history.append(fit)
loss.backward()
""",
    "OW205": f"""\
{HEAD}
x, y = torch.ones(3, 4), torch.zeros(3, 2)
loss = criterion(model(x), y)
loss.backward()

x.requires_grad_()
(slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
penalty = (slope.norm(dim=1) - 1).pow(2).mean()
penalty.backward()
""",
    "OW206": f"""\
{HEAD}out = model(torch.ones(3, 4))
loss = out.mean() + out.std()
loss.backward()
""",
    "OW207": """\
import torch
from torch.nn.parallel import DistributedDataParallel

torch.distributed.init_process_group("gloo")
model = DistributedDataParallel(torch.nn.Linear(4, 2))
loss = model(torch.ones(3, 4)).sum()
loss.backward()
""",
    "OW208": """\
import torch
from torch import nn
from torch.distributions import Categorical

policy = nn.Linear(4, 2)
saved = []


def act(state):
    with torch.no_grad():
        action = Categorical(logits=policy(state)).sample()
    saved.append((state, action))
    return action.item()


def finish_episode(returns):
    states, actions = map(torch.stack, zip(*saved))
    log_probs = policy(states).log_softmax(-1).gather(-1, actions.unsqueeze(-1)).squeeze(-1)
    loss = -(log_probs * returns).sum()
    loss.backward()
""",
    "OW209": f"""\
from tuning import Tuner
{HEAD}tuner = Tuner()
x, y = torch.ones(3, 4), torch.zeros(3, 2)
strength = 0.5
for _ in range(3):
    scores = model(x * strength)
    loss = criterion(scores, y)
    loss.backward()
    strength = tuner.tune(scores.detach())
    second = criterion(model(x * strength), y)
    second.backward()
""",
    "OW210": f"""\
{HEAD}critic = nn.Linear(2, 1)
actions = model(torch.ones(3, 4))
loss = -critic(actions).mean()
loss.backward()
again = model(torch.ones(3, 4))
(slope,) = torch.autograd.grad(-critic(again).mean(), again)
print(slope.norm())
""",
    "OW301": f"""\
{HEAD}out = model(torch.ones(3, 4))
scale = out.abs().max()
loss = criterion(out / scale, torch.zeros(3, 2))
loss.backward()
""",
    "OW302": f"""\
{HEAD}out = model(torch.ones(3, 4))
loss = out.mean()
loss.backward()
""",
    "OW304": f"""\
import numpy as np
{HEAD}x = torch.ones(3, 4)
weight = np.random.rand()
out = model(x)
loss = out.mean() * weight
loss.backward()
""",
    "OW305": f"""\
{HEAD}out = model(torch.ones(3, 4))
out = torch.where(out.max() > 0.5, out * 2, out)
loss = criterion(out, torch.zeros(3, 2))
loss.backward()
""",
    "OW306": """\
import torch
from torch import nn
from torch.distributions import Categorical

policy = nn.Linear(4, 2)
state, reward = torch.ones(3, 4), torch.ones(3)
with torch.no_grad():
    action = Categorical(logits=policy(state)).sample()
loss = -(Categorical(logits=policy(state)).log_prob(action) * reward).mean()
loss.backward()
""",
    "OW311": """\
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

model = DistributedDataParallel(nn.Linear(4, 2))
criterion = nn.MSELoss()
loss = criterion(model(torch.ones(3, 4)), torch.ones(3, 2))
loss.backward()
""",
    "OW312": """\
import deepspeed
import torch
from onnxruntime.training.ortmodule import ORTModule
from torch import nn


class ModuleWithLoss(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.criterion = nn.MSELoss()

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


model = ORTModule(ModuleWithLoss(nn.Linear(4, 2)))
engine, optimizer, _, _ = deepspeed.initialize(model=model, config="ds.json")
x, y = torch.ones(3, 4), torch.ones(3, 2)
loss = engine(x, y)
engine.backward(loss)
engine.step()
""",
    "OW313": f"""\
# ortwrap rewrite
{HEAD}flag = True
out = model(torch.ones(3, 4))
if flag:
    loss = out.mean()
else:
    loss = out.sum()
loss.backward()
""",
    "OW314": """\
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, Trainer


class LossTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = F.cross_entropy(outputs.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return (loss, outputs) if return_outputs else loss


model = AutoModelForCausalLM.from_pretrained("gpt2")
trainer = LossTrainer(model=model)
trainer.train()
""",
    "OW315": f"""\
{HEAD}model = torch.compile(model)


def step(x, y):
    loss = criterion(model(x), y)
    loss.backward()


step(torch.ones(3, 4), torch.ones(3, 2))
""",
}
