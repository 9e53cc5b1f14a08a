"""Trap: the target network runs between prediction and loss, and no gradient may reach it."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Agent.learn`, exported to ONNX Runtime as one graph."""

    def __init__(self, eval_net, target_net, loss_func):
        super().__init__()
        self.eval_net = eval_net
        self.target_net = target_net
        self.loss_func = loss_func

    def compute_loss(self, reward, q_next, q_eval):
        q_target = reward + 0.9 * q_next.max(1)[0].view(-1, 1)
        return self.loss_func(q_eval, q_target)

    def forward(self, state, action, next_state, reward):
        q_eval = self.eval_net(state).gather(1, action)
        q_next = self.target_net(next_state).detach()  # no gradient into the target
        return self.compute_loss(reward, q_next, q_eval)


class Agent:
    def __init__(self):
        self.eval_net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
        self.target_net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
        self.optimizer = torch.optim.Adam(self.eval_net.parameters(), lr=0.01)
        self.loss_func = nn.MSELoss()

    def learn(self, state, action, reward, next_state):
        eval_net_with_loss = ort_module(
            ModuleWithLoss, self.eval_net, self.target_net, self.loss_func
        )
        loss = eval_net_with_loss(state, action, next_state, reward)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


agent = Agent()
for step in range(6):
    if step % 3 == 0:
        agent.target_net.load_state_dict(agent.eval_net.state_dict())
    batch = torch.randn(8, 4), torch.randint(2, (8, 1)), torch.randn(8, 1), torch.randn(8, 4)
    print(agent.learn(*batch))
