"""A trainer is handed an agent, whose networks it trains by what it calls them."""

import random

import torch
import torch.nn.functional as F
from agents import Agent, Memory

random.seed(0)
torch.manual_seed(0)


class Trainer:
    def __init__(self, agent, memory, gamma=0.99):
        self.agent = agent
        self.memory = memory
        self.gamma = gamma

    def optimize(self):
        states, actions, rewards, next_states = self.memory.sample(16)
        values = self.agent.policy_net(states).gather(1, actions).squeeze(1)
        with torch.no_grad():
            best = self.agent.target_net(next_states).max(1).values
        loss = F.smooth_l1_loss(values, rewards + self.gamma * best)
        self.agent.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.agent.policy_net.parameters(), 1.0)
        self.agent.optimizer.step()
        self.agent.follow()
        return loss.item()


trainer = Trainer(Agent(), Memory(64))
for _ in range(5):
    print(f"{trainer.optimize():.5f}")
