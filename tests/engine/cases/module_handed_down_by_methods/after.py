import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(2)


class SoftTargets(nn.Module):
    def __init__(self, share, size):
        super().__init__()
        self.share = share
        self.size = size

    def forward(self, labels):
        target = torch.zeros((labels.shape[0], self.size))
        target.fill_(self.share / (self.size - 1))
        target.scatter_(1, labels[:, None], 1 - self.share)
        return target


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer._step`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, soften, loss_fn):
        super().__init__()
        self.model = model
        self.soften = soften
        self.loss_fn = loss_fn

    def compute_loss(self, output, target):
        return self.loss_fn(output, target)

    def forward(self, inputs, labels):
        output = torch.log_softmax(self.model(inputs), dim=-1)
        target = self.soften(labels)
        return self.compute_loss(output, target)


class Trainer:
    def _step(self, batch, model, optimizer, soften, loss_fn):
        model_with_loss = ort_module(ModuleWithLoss, model, soften, loss_fn)
        inputs, labels = batch
        optimizer.zero_grad()
        loss = model_with_loss(inputs, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def _epoch(self, loader, model, soften, loss_fn, optimizer):
        return sum(self._step(batch, model, optimizer, soften, loss_fn) for batch in loader)

    def run(self, loader):
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        soften = SoftTargets(share=0.1, size=3)
        divergence = nn.KLDivLoss(reduction="batchmean")
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(2):
            print(f"{epoch} {self._epoch(loader, model, soften, divergence, optimizer):.5f}")


Trainer().run([(torch.randn(5, 4), torch.randint(0, 3, (5,))) for _ in range(3)])
