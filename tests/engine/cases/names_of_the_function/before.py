"""What the function imports and defines for itself is there in forward too."""

import torch
from torch import nn

torch.manual_seed(0)


def main():
    import torch.nn.functional as F

    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss_fn(logits, target):
        return F.nll_loss(F.log_softmax(logits, dim=1), target)

    for step in range(5):
        x, y = torch.randn(4, 6), torch.randint(3, (4,))
        logits = F.relu(model(x))
        loss = loss_fn(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())


main()
