"""`torch.autograd.backward` is given its one loss in a tuple, which type checkers know."""
import torch
import torch.nn.functional as F
from torch import nn


def train(model, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad(set_to_none=True)
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        torch.autograd.backward((loss,))
        optimizer.step()
        print(f"{float(loss):.4f}")


torch.manual_seed(0)
model = nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
train(model, optimizer, [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(3)])
