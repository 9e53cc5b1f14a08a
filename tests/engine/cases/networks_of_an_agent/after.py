"""A trainer is handed an agent, whose networks it trains by what it calls them."""

import random

import torch
import torch.nn.functional as F
from agents import Agent, Memory
from ortwrap.runtime import ort_module

random.seed(0)
torch.manual_seed(0)


class ModuleWithLoss(torch.nn.Module):
    """Forward pass and loss of `Trainer.optimize`, exported to ONNX Runtime as one graph."""

    def __init__(self, policy_net, target_net):
        super().__init__()
        self.policy_net = policy_net
        self.target_net = target_net

    def compute_loss(self, next_states, values, rewards, gamma):
        with torch.no_grad():
            best = self.target_net(next_states).max(1).values
        return F.smooth_l1_loss(values, rewards + gamma * best)

    def forward(self, states, actions, next_states, rewards, gamma):
        values = self.policy_net(states).gather(1, actions).squeeze(1)
        return self.compute_loss(next_states, values, rewards, gamma)


class Trainer:
    def __init__(self, agent, memory, gamma=0.99):
        self.agent = agent
        self.memory = memory
        self.gamma = gamma

    def optimize(self):
        states, actions, rewards, next_states = self.memory.sample(16)
        policy_net_with_loss = ort_module(
            ModuleWithLoss, self.agent.policy_net, self.agent.target_net
        )
        loss = policy_net_with_loss(states, actions, next_states, rewards, self.gamma)
        self.agent.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.agent.policy_net.parameters(), 1.0)
        self.agent.optimizer.step()
        self.agent.follow()
        return loss.item()


trainer = Trainer(Agent(), Memory(64))
for _ in range(5):
    print(f"{trainer.optimize():.5f}")
