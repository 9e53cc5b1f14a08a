"""What can be written instead of what the pages of analysis.py refuse."""

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
    "OW116": f"""\
{HEAD}optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def test_training():
    for i in range(20):
        loss = criterion(model(torch.ones(3, 4)), torch.zeros(3, 2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
""",
    "OW117": """\
import torch
from torch import nn


def train(x, y):
    model = nn.Linear(4, 2)
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
""",
    "OW118": """\
import torch
from lightning import LightningModule
from torch.nn import functional as F
from toolbox import Task


class Classifier(Task, LightningModule):
    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self(x), y)
""",
    "OW119": """\
from transformers import Trainer


class Regularised(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False):
        outputs = model(**inputs)
        loss = outputs.loss + 0.1 * outputs.logits.pow(2).mean()
        return (loss, outputs) if return_outputs else loss
""",
}
