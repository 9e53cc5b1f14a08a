"""The base class trains; how a loss is computed and what is counted, derived classes say."""

import torch
from torch import nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Trainer:
    def __init__(self, report_steps):
        self.report_steps = report_steps
        self.total_loss = 0.0

    def forward_propagation(self, batch, model):
        raise NotImplementedError

    def report(self):
        raise NotImplementedError

    def train(self, batches, model, optimizer):
        model.train()
        for step, batch in enumerate(batches, 1):
            loss = self.forward_propagation(batch, model)
            loss.backward()
            optimizer.step()
            model.zero_grad()
            if step % self.report_steps == 0:
                self.report()


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `ClassTrainer.forward_propagation`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, y):
        return F.cross_entropy(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        loss = self.compute_loss(logits, y)
        return loss, logits.detach()


class ClassTrainer(Trainer):
    def __init__(self, report_steps):
        super().__init__(report_steps)
        self.correct = 0

    def forward_propagation(self, batch, model):
        model_with_loss = ort_module(ModelWithLoss, model)
        x, y = batch
        loss, logits = model_with_loss(x, y)
        self.total_loss += loss.item()
        self.correct += (logits.argmax(dim=1) == y).sum().item()
        return loss

    def report(self):
        print('%.5f %d' % (self.total_loss, self.correct))


class PairTrainerWithLoss(nn.Module):
    """Forward pass and loss of `PairTrainer.forward_propagation`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return F.mse_loss(self.model(x), self.model(x.flip(0)))


class PairTrainer(Trainer):
    def forward_propagation(self, batch, model):
        model_with_loss = ort_module(PairTrainerWithLoss, model)
        x, _ = batch
        loss = model_with_loss(x)
        self.total_loss += loss.item()
        return loss

    def report(self):
        if self.total_loss:
            print('%.5f' % self.total_loss)


for kind in (ClassTrainer, PairTrainer):
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    batches = [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(4)]
    kind(report_steps=2).train(batches, net, sgd)
