"""Trap: the trained network itself picks the next actions, between its prediction and the loss."""

import torch
from torch import nn

torch.manual_seed(0)


class DuelingNet(nn.Module):
    def __init__(self, observations, actions):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(observations, 16), nn.ReLU())
        self.value, self.advantage = nn.Linear(16, 1), nn.Linear(16, actions)

    def forward(self, state):
        hidden = self.body(state)
        advantage = self.advantage(hidden)
        return self.value(hidden) + advantage - advantage.mean(1, keepdim=True)


class Agent:
    def __init__(self):
        self.policy_net, self.target_net = DuelingNet(4, 2), DuelingNet(4, 2)
        self.target_net.load_state_dict(self.policy_net.state_dict())
        self.optimizer = torch.optim.AdamW(self.policy_net.parameters(), lr=0.01)

    def optimize_model(self, state, action, reward, goes_on, next_state):
        state_action_values = self.policy_net(state).gather(1, action)
        next_state_values = torch.zeros(len(state))
        with torch.no_grad():
            best = self.policy_net(next_state).argmax(1, keepdim=True)
            next_state_values[goes_on] = self.target_net(next_state).gather(1, best).squeeze(1)
        expected = next_state_values * 0.9 + reward
        loss = nn.functional.smooth_l1_loss(state_action_values, expected.unsqueeze(1))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


agent = Agent()
for step in range(6):
    goes_on = torch.arange(8) % 3 > 0
    batch = torch.randn(8, 4), torch.randint(2, (8, 1)), torch.randn(8), goes_on
    print(agent.optimize_model(*batch, torch.randn(int(goes_on.sum()), 4)))
