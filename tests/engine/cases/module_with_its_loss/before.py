"""The script has a module with the loss already, and scales what it gives by options."""

import torch
import torch.nn as nn


class AddLossModule(nn.Module):
    """Adds a loss to a module, for parallel training."""

    def __init__(self, module, criterion):
        super().__init__()
        self.module = module
        self.criterion = criterion

    def forward(self, inputs, target):
        output = self.module(*inputs)
        loss = self.criterion(output, target).view(1, 1)
        right = output.argmax(-1).eq(target).sum()
        return loss, right.view(1, 1)


class Trainer:
    def __init__(self, model, criterion, optimizer, loss_scale=1, average=True):
        self.model = model
        self.optimizer = optimizer
        self.loss_scale = loss_scale
        self.average = average
        self.model_with_loss = AddLossModule(self.model, criterion)

    def iterate(self, batches, training=True):
        for x, y in batches:
            self.optimizer.zero_grad()
            loss, right = self.model_with_loss((x,), y)
            loss = loss.sum()
            # The words of the batch, or its sentences.
            if self.average:
                loss /= y.numel()
            else:
                loss /= y.size(0)
            if training:
                if self.loss_scale > 1:
                    loss *= self.loss_scale
                loss.backward()
                self.optimizer.step()
            print(f"{float(loss):.3f} {int(right)}")


torch.manual_seed(0)
batches = [(torch.randn(size, 6), torch.randint(0, 4, (size,))) for size in (8, 8, 5, 8)]
for scale, average in ((1, True), (2, False)):
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    Trainer(model, nn.CrossEntropyLoss(reduction="sum"), optimizer, scale, average).iterate(batches)
