"""A classifier and its domain critic, of own classes, each with a graph kept for nobody."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, width, out):
        super().__init__()
        self.linear = nn.Linear(width, out)

    def forward(self, x):
        return F.relu(self.linear(x))


class Network(nn.Module):
    def __init__(self, width, out):
        super().__init__()
        self.width = width
        self.body = self._make_layers(2)
        self.head = nn.Linear(self.width, out)

    def _make_layers(self, count):
        layers = []
        for _ in range(count):
            layers.append(Block(self.width, 8))
            self.width = 8
        return nn.Sequential(*layers)

    def forward(self, x, scale=1.0):
        return self.head(scale * self.body(x))


class Critic(Network):
    def forward(self, x, scale=1.0):
        return torch.sigmoid(super().forward(x, scale))


def build_critic(width):
    return Critic(width, 1)


class ModelWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, output, labels):
        return F.cross_entropy(output, labels)

    def forward(self, source, labels):
        output = self.model(source)
        return self.compute_loss(output, labels)


class CriticWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, critic):
        super().__init__()
        self.critic = critic

    def compute_loss(self, told):
        return torch.mean(told * torch.log(told + 1e-5))

    def forward(self, target):
        told = self.critic(target, scale=0.5)
        return self.compute_loss(told)


model = Network(6, 3).to("cpu")
critic = build_critic(6)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=0.01)

model_with_loss = ort_module(ModelWithLoss, model)
critic_with_loss = ort_module(CriticWithLoss, critic)
for step in range(3):
    source, labels = torch.randn(5, 6), torch.randint(0, 3, (5,))
    target = torch.randn(5, 6)

    loss = model_with_loss(source, labels)
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    optimizer.step()

    optimizer.zero_grad()
    critic_optimizer.zero_grad()
    loss_t = critic_with_loss(target)
    loss_t.backward(retain_graph=True)
    critic_optimizer.step()
    print("%.5f %.5f" % (loss.item(), loss_t.item()))
