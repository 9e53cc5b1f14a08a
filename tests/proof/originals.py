"""Training scripts that faults are planted in."""

from __future__ import annotations

from tests.proof.conftest import SCRIPT, replaced

# Padding, accumulation, clipping, a schedule and an evaluation that prints its loss.
TAGGER = """\
import torch
from torch import nn
from torch.nn import functional as F


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 5)

    def forward(self, tokens):
        hidden = self.norm(self.embed(tokens).transpose(1, 2)).transpose(1, 2)
        return self.head(torch.tanh(hidden))


tokens = torch.randint(1, 20, (24, 4, 6))
labels = tokens % 5
model = Tagger()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 4, gamma=0.5)
for step in range(12):
    for micro in range(2):
        x, y = tokens[2 * step + micro], labels[2 * step + micro]
        loss = F.cross_entropy(model(x).view(-1, 5), y.view(-1), ignore_index=0)
        (loss / 2).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    optimizer.zero_grad()
    schedule.step()
    model.eval()
    with torch.no_grad():
        valid = F.cross_entropy(model(tokens[0]).view(-1, 5), labels[0].view(-1))
    print(f"step {step}: validation loss {valid.item():.4f}")
    model.train()
"""

# Class weights, a term that trains no one, weights that two layers share, and a count of its own.
SHARED = """\
import torch
from torch import nn


class Coder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 6)
        self.mix = nn.Linear(6, 6)
        self.head = nn.Linear(6, 9)
        self.head.weight = self.embed.weight
        self.scale = nn.Linear(6, 1)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, tokens):
        self.seen += len(tokens)
        hidden = torch.tanh(self.mix(self.embed(tokens)))
        return self.head(hidden), self.scale(hidden)


data = torch.randint(0, 9, (4, 16))
labels = (data + 1) % 9
model = Coder()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.CrossEntropyLoss(weight=torch.arange(1.0, 10.0), label_smoothing=0.1)
for step in range(12):
    x, y = data[step % 4], labels[step % 4]
    optimizer.zero_grad()
    logits, scale = model(x)
    loss = criterion(logits, y) + scale.detach().square().mean()
    loss.backward()
    optimizer.step()
"""

CAST = replaced(SCRIPT, "        logits, value = model(x)", """\
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, value = model(x)""")  # fmt: skip

# A teacher, a frozen layer, an average of weights, groups, a scaler, a smaller last batch.
TAUGHT = """\
import copy
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, width), nn.BatchNorm1d(width), nn.ReLU())
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        return self.head(self.body(x))


teacher, student = Net(16), Net(8)
teacher.eval()
student.body[0].requires_grad_(False)
average = copy.deepcopy(student)
decayed = [p for name, p in student.named_parameters() if name.endswith("weight")]
others = [p for name, p in student.named_parameters() if not name.endswith("weight")]
groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
optimizer = torch.optim.Adam(groups, lr=1e-2, betas=(0.9, 0.99))
scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
data = TensorDataset(torch.randn(30, 8), torch.randint(0, 3, (30,)), torch.rand(30))
loader = DataLoader(data, batch_size=8, shuffle=True)
for epoch in range(3):
    for x, y, weight in loader:
        optimizer.zero_grad()
        with torch.no_grad():
            target = teacher(x).softmax(1)
        output = student(x)
        each = F.cross_entropy(output, y, reduction="none")
        apart = F.kl_div(output.log_softmax(1), target, reduction="batchmean")
        loss = (each * weight).mean() + 0.5 * apart
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        with torch.no_grad():
            for kept, now in zip(average.parameters(), student.parameters()):
                kept.lerp_(now, 0.1)
"""

# Two training functions, one after the other.
PHASES = """\
import torch
from torch import nn

model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
data, labels = torch.randn(8, 16, 4), torch.randint(0, 2, (8, 16))


def warm_up(x):
    optimizer.zero_grad()
    loss = (model(x) ** 2).mean()
    loss.backward()
    optimizer.step()


def train(x, y):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()


for x, y in zip(data, labels):
    warm_up(x)
for x, y in zip(data, labels):
    train(x, y)
"""

# Without end.
ADVERSARIES = """\
import torch
from torch import nn
generator, critic = nn.Linear(4, 8), nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
of_generator = torch.optim.Adam(generator.parameters(), lr=1e-2)
of_critic = torch.optim.SGD(critic.parameters(), lr=1e-2)
criterion = nn.BCEWithLogitsLoss()
while True:
    real, fake = torch.randn(16, 8), generator(torch.randn(16, 4))
    of_critic.zero_grad()
    right = criterion(critic(real), torch.ones(16, 1))
    wrong = criterion(critic(fake.detach()), torch.zeros(16, 1))
    (right + wrong).backward()
    of_critic.step()
    of_generator.zero_grad()
    fooled = criterion(critic(fake), torch.ones(16, 1))
    fooled.backward()
    of_generator.step()
"""

# A state that steps hand on.
RECURRENT = """\
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(12, 6, padding_idx=0)
        self.rnn = nn.GRU(6, 8, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(8, 12)
    def forward(self, x, h):
        out, h = self.rnn(self.embed(x), h)
        return self.head(self.drop(out)), h

data = torch.randint(0, 12, (12, 4, 7))
model = Model()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-2, alpha=0.9)
hidden = torch.zeros(1, 4, 8)
for step in range(12):
    model.train()
    x, y = data[step][:, :-1], data[step][:, 1:]
    out, hidden = model(x, hidden.detach())
    loss = nn.functional.cross_entropy(out.reshape(-1, 12), y.reshape(-1), ignore_index=0)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.3)
    optimizer.step()
"""

# Dropout, which is off while runs are compared, and noise from numpy.
DROPPING = replaced(
    replaced(TAGGER, "nn.BatchNorm1d(8)", "nn.Dropout(0.3)"),
    "x, y = tokens[2 * step + micro], labels[2 * step + micro]",
    "x, y = tokens[2 * step + micro], labels[2 * step + micro]\n"
    "        x = x.roll(numpy.random.randint(2), 0)",
).replace("import torch\n", "import numpy\nimport torch\n", 1)
