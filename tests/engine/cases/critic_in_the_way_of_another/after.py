"""One critic runs between the run and the loss of another, until its own step has moved."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, state, action):
        return self.layers(torch.cat([state, action], 1))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Agent.learn`, exported to ONNX Runtime as one graph."""

    def __init__(self, critic2, encode):
        super().__init__()
        self.critic2 = critic2
        self.encode = encode

    def forward(self, state, action, target):
        q2 = self.critic2(state, self.encode(action))
        return nn.functional.mse_loss(q2, target)


class Critic1WithLoss(nn.Module):
    """Forward pass and loss of `Agent.learn`, exported to ONNX Runtime as one graph."""

    def __init__(self, critic1):
        super().__init__()
        self.critic1 = critic1

    def compute_loss(self, q1, target):
        return nn.functional.mse_loss(q1, target)

    def forward(self, state, action, target):
        q1 = self.critic1(state, action)
        return self.compute_loss(q1, target)


class Agent:
    def __init__(self):
        self.critic1, self.critic2 = Critic(), Critic()
        self.optimizer1 = torch.optim.Adam(self.critic1.parameters(), lr=0.01)
        self.optimizer2 = torch.optim.Adam(self.critic2.parameters(), lr=0.01)

    def learn(self, state, action, reward):
        critic1_with_loss = ort_module(Critic1WithLoss, self.critic1)
        critic2_with_loss = ort_module(ModuleWithLoss, self.critic2, self.encode)
        target = (reward - reward.mean()) / (reward.std() + 1e-6)
        loss1 = critic1_with_loss(state, action, target)
        loss2 = critic2_with_loss(state, action, target)
        self.optimizer1.zero_grad()
        loss1.backward()
        self.optimizer1.step()
        self.optimizer2.zero_grad()
        loss2.backward()
        self.optimizer2.step()
        return loss1.item(), loss2.item()


agent = Agent()
agent.encode = torch.tanh
for _ in range(4):
    print(agent.learn(torch.randn(5, 3), torch.randn(5, 1), torch.randn(5, 1)))
