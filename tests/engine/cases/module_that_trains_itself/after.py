import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Agent.learn`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, state, target):
        return self.model.criterion(self.model(state), target)


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
        self.criterion = nn.SmoothL1Loss()
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.1)

    def forward(self, state):
        return self.layers(state)

    def learn(self, state, target):
        model_with_loss = ort_module(ModuleWithLoss, self)
        loss = model_with_loss(state, target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


agent = Agent()
for state, target in [(torch.randn(5, 4), torch.randn(5, 2)) for _ in range(3)]:
    print(f"{agent.learn(state, target):.5f}")
