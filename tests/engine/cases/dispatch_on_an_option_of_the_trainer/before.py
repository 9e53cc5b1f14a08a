"""Continual learning: the scenario picks a head, and statistics are kept of the hidden units."""
from argparse import Namespace

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.heads = nn.ModuleList([nn.Linear(8, 3), nn.Linear(8, 3)])
        self.shared = nn.Linear(8, 3)
        self.by_task = False

    def forward(self, x):
        hidden = torch.tanh(self.body(x))
        y = [head(hidden) for head in self.heads] if self.by_task else self.shared(hidden)
        return {"y": y, "hidden": hidden, "spread": hidden.std(dim=0)}


class Learner:
    def __init__(self, model, args):
        self.model = model
        self.args = args
        self.device = torch.device("cpu")
        self.ce = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.usage = torch.zeros(8)

    def train_epoch(self, t, loader):
        self.model.by_task = "til" in self.args.scenario
        for inputs, targets in loader:
            self.optimizer.zero_grad()
            output_dict = self.model(inputs)
            hidden = output_dict["hidden"]

            if "dil" in self.args.scenario:
                output = output_dict["y"]
            elif "til" in self.args.scenario:
                outputs = output_dict["y"]
                output = outputs[t]

            weight = torch.full((3,), self.args.weight, device=self.device)
            loss = self.ce(output, targets) + (weight * output).mean()
            loss.backward()
            self.optimizer.step()
            self.usage += hidden.detach().abs().mean(dim=0)
            print(f"{loss.item():.4f} {self.usage.sum().item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    batches = [(torch.randn(6, 4), torch.randint(3, (6,))) for _ in range(4)]
    for scenario in ("dil", "til"):
        learner = Learner(Net(), Namespace(scenario=scenario, weight=0.5))
        for task in range(2):
            learner.train_epoch(task, batches)
