"""Domains are adapted in two phases, of which each goes through the sources of a round anew."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
device = torch.device("cpu")


class Adapted(nn.Module):
    def __init__(self, sources):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 8), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(8, 3) for _ in range(sources))

    def forward(self, features, index):
        return self.heads[index](self.encoder(features))


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `Experiment.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, batches):
        loss = 0
        for index, batch in enumerate(batches):
            features = batch[0]
            labels = batch[1]

            features = features.to(device)
            labels = labels.to(device)

            logits = self.model(features, index)
            loss += self.criterion(logits, labels)
        return loss


class ModelWithDiscrepancy(nn.Module):
    """Forward pass and loss of `Experiment.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, distance):
        super().__init__()
        self.model = model
        self.distance = distance

    def forward(self, batches, target):
        discrepancy = 0
        for index, batch in enumerate(batches):
            features = batch[0]

            features = features.to(device)

            here = self.model(features, index)
            there = self.model(target, index)
            discrepancy += self.distance(here.mean(0), there.mean(0))
        return discrepancy


class Experiment:
    def __init__(self, sources):
        self.model = Adapted(sources).to(device)
        self.criterion = nn.CrossEntropyLoss()
        self.distance = nn.L1Loss()
        self.encoder_optimizer = torch.optim.Adam(self.model.encoder.parameters(), lr=0.01)
        self.head_optimizer = torch.optim.Adam(self.model.heads.parameters(), lr=0.01)

    def train(self, rounds):
        model_with_loss = ort_module(ModelWithLoss, self.model, self.criterion)
        model_with_discrepancy = ort_module(
            ModelWithDiscrepancy, self.model, self.distance
        )
        for batches, target in rounds:
            loss = model_with_loss(batches)

            self.encoder_optimizer.zero_grad()
            self.head_optimizer.zero_grad()
            loss.backward()
            self.encoder_optimizer.step()
            self.head_optimizer.step()
            print(f"classified {loss.item():.5f}")

            discrepancy = model_with_discrepancy(batches, target)

            self.encoder_optimizer.zero_grad()
            discrepancy.backward()
            self.encoder_optimizer.step()
            print(f"apart {discrepancy.item():.5f}")


def rounds(count, sources):
    for _ in range(count):
        batches = [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(sources)]
        yield batches, torch.randn(4, 6)


Experiment(sources=2).train(rounds(3, 2))
