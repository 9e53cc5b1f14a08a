"""Trap: the target network fills some of the next values between prediction and loss."""

import copy

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
BATCH, GAMMA = 8, 0.99
policy_net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
target_net = copy.deepcopy(policy_net)
optimizer = torch.optim.AdamW(policy_net.parameters(), lr=0.01)
criterion = nn.SmoothL1Loss()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `optimize_model`, exported to ONNX Runtime as one graph."""

    def __init__(self, policy_net, criterion):
        super().__init__()
        self.policy_net = policy_net
        self.criterion = criterion

    def compute_loss(self, values, expected):
        return self.criterion(values, expected.unsqueeze(1))

    def forward(self, states, actions, expected):
        values = self.policy_net(states).gather(1, actions)
        return self.compute_loss(values, expected)


def optimize_model(states, actions, rewards, next_states, unfinished):
    policy_net_with_loss = ort_module(ModuleWithLoss, policy_net, criterion)
    next_values = torch.zeros(BATCH)
    with torch.no_grad():
        next_values[unfinished] = target_net(next_states[unfinished]).max(1).values
    expected = next_values * GAMMA + rewards

    loss = policy_net_with_loss(states, actions, expected)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()
    return loss.item()


for step in range(6):
    states, next_states = torch.randn(BATCH, 4), torch.randn(BATCH, 4)
    actions, rewards = torch.randint(2, (BATCH, 1)), torch.randn(BATCH)
    print(optimize_model(states, actions, rewards, next_states, torch.rand(BATCH) > 0.3))
    if step % 2:
        target_net.load_state_dict(policy_net.state_dict())
