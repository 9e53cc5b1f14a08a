import random

import torch
from torch import nn


def network():
    return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))


class Agent:
    def __init__(self):
        self.policy_net, self.target_net = network(), network()
        self.target_net.load_state_dict(self.policy_net.state_dict())
        self.optimizer = torch.optim.Adam(self.policy_net.parameters(), lr=1e-2)

    def follow(self, rate=0.1):
        with torch.no_grad():
            pairs = zip(self.target_net.parameters(), self.policy_net.parameters())
            for target, policy in pairs:
                target.lerp_(policy, rate)


class Memory:
    def __init__(self, size):
        self.rows = [
            (torch.randn(4), torch.randint(3, (1,)), torch.randn(()), torch.randn(4))
            for _ in range(size)
        ]

    def sample(self, size):
        return [torch.stack(column) for column in zip(*random.sample(self.rows, size))]
