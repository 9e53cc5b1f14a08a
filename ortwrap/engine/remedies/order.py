"""What can be written instead of what the pages of order.py refuse."""

from __future__ import annotations

from ortwrap.engine.refusal_pages.page import HEAD

REMEDIES: dict[str, str] = {
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
    "OW211": """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x):
        features = self.first(x)
        return self.last(features), features


model = Net()
criterion = nn.MSELoss()
out, features = model(torch.ones(3, 4))
loss = criterion(out, torch.zeros(3, 2)) + features.abs().mean()
loss.backward()
""",
}
