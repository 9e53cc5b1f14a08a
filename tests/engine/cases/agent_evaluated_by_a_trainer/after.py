"""A trainer asks its agent, which another file defines, what the networks say."""

import torch
import torch.nn.functional as F
from agents import Agent
from ortwrap.runtime import ort_module


class ModuleWithLoss(torch.nn.Module):
    """Forward pass and loss of `Trainer.update`, exported to ONNX Runtime as one graph."""

    def __init__(self, actor, critic, evaluate):
        super().__init__()
        self.actor = actor
        self.critic = critic
        self.evaluate = evaluate

    def compute_loss(self, returns, values, log_probs, value_weight):
        advantages = (returns - values).detach()
        policy_loss = -(log_probs * advantages).mean()
        return policy_loss + value_weight * F.mse_loss(values, returns)

    def forward(self, states, actions, returns, value_weight):
        log_probs, values = self.evaluate(states, actions)
        return self.compute_loss(returns, values, log_probs, value_weight)


class Trainer:
    def __init__(self, agent, value_weight=0.5):
        self.agent = agent
        self.value_weight = value_weight

    def update(self, states, actions, returns):
        actor_with_loss = ort_module(
            ModuleWithLoss, self.agent.actor, self.agent.critic, self.agent.evaluate
        )
        loss = actor_with_loss(states, actions, returns, self.value_weight)
        self.agent.optimizer.zero_grad()
        loss.backward()
        self.agent.optimizer.step()
        return loss.item()


torch.manual_seed(0)
trainer = Trainer(Agent(4, 3))
for _ in range(4):
    states, actions = torch.randn(16, 4), torch.randint(0, 3, (16,))
    print(f"{trainer.update(states, actions, torch.randn(16)):.5f}")
