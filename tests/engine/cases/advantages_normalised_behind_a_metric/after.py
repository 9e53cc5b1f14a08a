"""A metric reads what the model returned before the rest of the loss's inputs is prepared.

What is prepared behind the metric moves into forward, so that the call can stand above it. Batches
are picked by a NumPy array before the call, also where only a branch reads them.
"""

import numpy as np
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Linear(4, 3)
        self.critic = nn.Linear(4, 1)

    def evaluate(self, obs, actions):
        logprobs = torch.log_softmax(self.actor(obs), 1)
        entropy = -(logprobs.exp() * logprobs).sum(1)
        return logprobs.gather(1, actions.unsqueeze(1)).squeeze(1), entropy, self.critic(obs)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, agent):
        super().__init__()
        self.agent = agent

    def forward(self, b_obs, b_actions, b_logprobs, b_advantages, b_values, b_returns):
        newlogprob, entropy, newvalue = self.agent.evaluate(b_obs, b_actions)
        logratio = newlogprob - b_logprobs
        ratio = logratio.exp()
        mb_advantages = b_advantages
        if norm_adv:
            mb_advantages = (mb_advantages - mb_advantages.mean()) / (mb_advantages.std() + 1e-8)
        clipped = torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)
        pg_loss = torch.max(-mb_advantages * ratio, -mb_advantages * clipped).mean()
        newvalue = newvalue.view(-1)
        if clip_vloss:
            v_clipped = b_values + torch.clamp(newvalue - b_values, -0.2, 0.2)
            v_loss = 0.5 * ((v_clipped - b_returns) ** 2).mean()
        else:
            v_loss = 0.5 * ((newvalue - b_returns) ** 2).mean()
        loss = pg_loss - 0.01 * entropy.mean() + v_loss * 0.5
        return loss, logratio.detach(), ratio.detach()


norm_adv, clip_coef, clip_vloss = True, 0.2, False
agent = Agent()
optimizer = torch.optim.SGD(agent.parameters(), lr=0.1)
b_obs, b_actions = torch.randn(32, 4), torch.randint(0, 3, (32,))
b_logprobs, b_advantages, b_returns = torch.full((32,), -1.1), torch.randn(32), torch.randn(32)
b_values = torch.randn(32)
clipfracs = []
agent_with_loss = ort_module(ModuleWithLoss, agent)
for start in range(0, 32, 8):
    mb_inds = np.arange(start, start + 8)
    loss, logratio, ratio = agent_with_loss(
        b_obs[mb_inds],
        b_actions.long()[mb_inds],
        b_logprobs[mb_inds],
        b_advantages[mb_inds],
        b_values[mb_inds] if clip_vloss else None,
        b_returns[mb_inds],
    )

    with torch.no_grad():
        approx_kl = ((ratio - 1) - logratio).mean()
        clipfracs += [((ratio - 1.0).abs() > clip_coef).float().mean().item()]

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), approx_kl.item(), clipfracs[-1])
