"""Scripts that the command line is tried on."""

TRAINING = """\
import torch.nn.functional as F


def train(model, device, loader, optimizer):
    model.train()
    for data, target in loader:
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
"""

REFUSED = """\
import torch


def train(model, loader, optimizer):
    for data, target in loader:
        loss = (model(data) - target).pow(2).mean()
        loss.backward(create_graph=True)
        optimizer.step()
"""

PLAIN = "def add(a, b):\n    return a + b\n"
