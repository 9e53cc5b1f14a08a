"""A trainer asks its agent, which another file defines, what the networks say."""

import torch
import torch.nn.functional as F
from agents import Agent


class Trainer:
    def __init__(self, agent, value_weight=0.5):
        self.agent = agent
        self.value_weight = value_weight

    def update(self, states, actions, returns):
        log_probs, values = self.agent.evaluate(states, actions)
        advantages = (returns - values).detach()
        policy_loss = -(log_probs * advantages).mean()
        loss = policy_loss + self.value_weight * F.mse_loss(values, returns)
        self.agent.optimizer.zero_grad()
        loss.backward()
        self.agent.optimizer.step()
        return loss.item()


torch.manual_seed(0)
trainer = Trainer(Agent(4, 3))
for _ in range(4):
    states, actions = torch.randn(16, 4), torch.randint(0, 3, (16,))
    print(f"{trainer.update(states, actions, torch.randn(16)):.5f}")
