"""What the command line said stands at module level; one option is set anew while it trains."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--temperature", type=float, default=0.5)
parser.add_argument("--views", nargs="+", type=float, default=[1.0, 0.5])
parser.add_argument("--smooth", action="store_true")
parser.add_argument("--noise", type=float, default=0.1)
args = parser.parse_args(["--smooth"])
args.margin = 2 * args.temperature
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
temperature, classes = args.temperature, 3

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, classes)).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(x, y, weight=0.5):
    out = model(x + args.noise)
    hits = F.one_hot(y, classes) + args.margin * torch.eye(4, classes, device=device)
    loss = F.cross_entropy(out / temperature, y) - (hits * out).mean()
    if weight != 0 and args.smooth:
        loss = loss - args.views[1] * F.log_softmax(out, 1).mean()
    loss = -weight * loss.neg()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    args.noise *= 0.5
    return loss.item()


for step in range(6):
    x, y = torch.randn(4, 6).to(device), torch.randint(classes, (4,)).to(device)
    print(f"{train(x, y):.5f}")
