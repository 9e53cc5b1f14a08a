"""Soft actor-critic's second update: the policy's own method samples, and torch draws in the graph."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Categorical, Normal


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 16), nn.ReLU())
        self.mean, self.log_std = nn.Linear(16, 2), nn.Linear(16, 2)

    def sample(self, state):
        hidden = self.body(state)
        normal = Normal(self.mean(hidden), self.log_std(hidden).clamp(-20, 2).exp())
        raw = normal.rsample()
        action = torch.tanh(raw)
        log_prob = normal.log_prob(raw) - torch.log(1 - action.pow(2) + 1e-6)
        return action, log_prob.sum(1, keepdim=True)


class Agent:
    def __init__(self):
        self.alpha = 0.2
        self.policy, self.critic = Policy(), nn.Linear(8, 1)
        self.policy_optim = torch.optim.Adam(self.policy.parameters(), lr=1e-2)
        self.critic_optim = torch.optim.Adam(self.critic.parameters(), lr=1e-2)

    def update(self, state, action, target):
        value = self.critic(torch.cat([state, action], 1))
        critic_loss = F.mse_loss(value, target)
        self.critic_optim.zero_grad()
        critic_loss.backward()
        self.critic_optim.step()

        pi, log_pi = self.policy.sample(state)
        policy_loss = (self.alpha * log_pi - self.critic(torch.cat([state, pi], 1))).mean()
        self.policy_optim.zero_grad()
        policy_loss.backward()
        self.policy_optim.step()
        return critic_loss.item(), policy_loss.item(), log_pi.mean().item()


def bandit():
    policy = nn.Linear(6, 4)
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
    payoff = torch.randn(6, 4)
    for step in range(5):
        state = torch.randn(8, 6)
        dist = Categorical(logits=policy(state))
        action = dist.sample()
        reward = (state @ payoff).gather(1, action.unsqueeze(1)).squeeze(1)
        loss = -(dist.log_prob(action) * (reward - reward.mean())).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(step, torch.rand(1).item())


def main():
    torch.manual_seed(0)
    agent = Agent()
    for step in range(5):
        agent.update(torch.randn(8, 6), torch.rand(8, 2), torch.randn(8, 1))
    bandit()


if __name__ == "__main__":
    main()
