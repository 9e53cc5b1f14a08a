"""Trap: the target network fills some of the next values between prediction and loss."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
BATCH, GAMMA = 8, 0.99
policy_net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
target_net = copy.deepcopy(policy_net)
optimizer = torch.optim.AdamW(policy_net.parameters(), lr=0.01)
criterion = nn.SmoothL1Loss()


def optimize_model(states, actions, rewards, next_states, unfinished):
    values = policy_net(states).gather(1, actions)

    next_values = torch.zeros(BATCH)
    with torch.no_grad():
        next_values[unfinished] = target_net(next_states[unfinished]).max(1).values
    expected = next_values * GAMMA + rewards

    loss = criterion(values, expected.unsqueeze(1))
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
