"""Domains are adapted in two phases, of which each goes through the sources of a round anew."""
import torch
from torch import nn

torch.manual_seed(0)
device = torch.device("cpu")


class Adapted(nn.Module):
    def __init__(self, sources):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 8), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(8, 3) for _ in range(sources))

    def forward(self, features, index):
        return self.heads[index](self.encoder(features))


class Experiment:
    def __init__(self, sources):
        self.model = Adapted(sources).to(device)
        self.criterion = nn.CrossEntropyLoss()
        self.distance = nn.L1Loss()
        self.encoder_optimizer = torch.optim.Adam(self.model.encoder.parameters(), lr=0.01)
        self.head_optimizer = torch.optim.Adam(self.model.heads.parameters(), lr=0.01)

    def train(self, rounds):
        for batches, target in rounds:
            loss = 0
            for index, batch in enumerate(batches):
                features = batch[0]
                labels = batch[1]

                features = features.to(device)
                labels = labels.to(device)

                logits = self.model(features, index)
                loss += self.criterion(logits, labels)

            self.encoder_optimizer.zero_grad()
            self.head_optimizer.zero_grad()
            loss.backward()
            self.encoder_optimizer.step()
            self.head_optimizer.step()
            print(f"classified {loss.item():.5f}")

            discrepancy = 0
            for index, batch in enumerate(batches):
                features = batch[0]

                features = features.to(device)

                here = self.model(features, index)
                there = self.model(target, index)
                discrepancy += self.distance(here.mean(0), there.mean(0))

            self.encoder_optimizer.zero_grad()
            discrepancy.backward()
            self.encoder_optimizer.step()
            print(f"apart {discrepancy.item():.5f}")


def rounds(count, sources):
    for _ in range(count):
        batches = [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(sources)]
        yield batches, torch.randn(4, 6)


Experiment(sources=2).train(rounds(3, 2))
