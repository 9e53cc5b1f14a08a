"""Continual learning: the scenario picks a head, and statistics are kept of the hidden units."""
from argparse import Namespace

import torch
from torch import nn
from ortwrap.runtime import ort_module


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


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Learner.train_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, ce):
        super().__init__()
        self.model = model
        self.ce = ce

    def forward(self, inputs, scenario, t, targets, weight):
        output_dict = self.model(inputs)
        hidden = output_dict["hidden"]
        if "dil" in scenario:
            output = output_dict["y"]
        elif "til" in scenario:
            outputs = output_dict["y"]
            output = outputs[t]
        loss = self.ce(output, targets) + (weight * output).mean()
        return loss, hidden.detach()


class Learner:
    def __init__(self, model, args):
        self.model = model
        self.args = args
        self.device = torch.device("cpu")
        self.ce = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.usage = torch.zeros(8)

    def train_epoch(self, t, loader):
        model_with_loss = ort_module(ModuleWithLoss, self.model, self.ce)
        self.model.by_task = "til" in self.args.scenario
        for inputs, targets in loader:
            self.optimizer.zero_grad()

            weight = torch.full((3,), self.args.weight, device=self.device)
            loss, hidden = model_with_loss(inputs, self.args.scenario, t, targets, weight)
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
