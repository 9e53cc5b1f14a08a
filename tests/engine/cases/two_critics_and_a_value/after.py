"""Twin critics and a value network: each loss moves past the others' runs."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class QNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(4, 16)
        self.layer2 = nn.Linear(16, 1)

    def forward(self, x, a):
        return self.layer2(torch.relu(self.layer1(torch.cat([x, a], 1))))


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = nn.Linear(3, 1)
        self.std = nn.Linear(3, 1)

    def forward(self, s):
        return self.mean(s), self.std(s).clamp(-5, 2)

    def sample(self, s):
        mean, log_std = self.forward(s)
        normal = torch.distributions.Normal(mean, log_std.exp())
        x = normal.rsample()
        a = torch.tanh(x)
        return a, (normal.log_prob(x) - torch.log(1 - a.pow(2) + 1e-6)).sum(1, keepdim=True)


class Q1WithLoss(nn.Module):
    """Forward pass and loss of `Agent.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, q1):
        super().__init__()
        self.q1 = q1
        self.mse_loss = nn.MSELoss()

    def compute_loss(self, q1, target):
        return self.mse_loss(q1, target)

    def forward(self, s, a, target):
        q1 = self.q1.forward(s, a)
        return self.compute_loss(q1, target)


class Q2WithLoss(nn.Module):
    """Forward pass and loss of `Agent.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, q2):
        super().__init__()
        self.q2 = q2
        self.mse_loss = nn.MSELoss()

    def compute_loss(self, q2, target):
        return self.mse_loss(q2, target)

    def forward(self, s, a, target):
        q2 = self.q2.forward(s, a)
        return self.compute_loss(q2, target)


class VWithLoss(nn.Module):
    """Forward pass and loss of `Agent.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, v, policy, q1, q2):
        super().__init__()
        self.v = v
        self.policy = policy
        self.q1 = q1
        self.q2 = q2

    def compute_loss(self, value, q, log_prob):
        return F.mse_loss(value, (q - 0.2 * log_prob).detach())

    def forward(self, s):
        value = self.v(s)
        new_a, log_prob = self.policy.sample(s)
        q = torch.min(self.q1(s, new_a), self.q2(s, new_a))
        return self.compute_loss(value, q, log_prob)


class Agent:
    def __init__(self):
        self.q1 = QNetwork()
        self.q2 = QNetwork()
        self.v = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
        self.policy = Policy()
        self.o1 = torch.optim.Adam(self.q1.parameters(), lr=1e-2)
        self.o2 = torch.optim.Adam(self.q2.parameters(), lr=1e-2)
        self.ov = torch.optim.Adam(self.v.parameters(), lr=1e-2)

    def train(self, s, a, r, s2):
        q1_with_loss = ort_module(Q1WithLoss, self.q1)
        q2_with_loss = ort_module(Q2WithLoss, self.q2)
        v_with_loss = ort_module(VWithLoss, self.v, self.policy, self.q1, self.q2)
        next_v = self.v.forward(s2)
        target = r + 0.99 * next_v
        l1 = q1_with_loss(s, a, target.detach())
        l2 = q2_with_loss(s, a, target.detach())
        self.o1.zero_grad()
        l1.backward()
        self.o1.step()
        self.o2.zero_grad()
        l2.backward()
        self.o2.step()

        v_loss = v_with_loss(s)
        self.ov.zero_grad()
        v_loss.backward()
        self.ov.step()
        return l1.item(), l2.item(), v_loss.item()


agent = Agent()
for i in range(5):
    print(agent.train(torch.randn(5, 3), torch.randn(5, 1), torch.randn(5, 1), torch.randn(5, 3)))
