import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)
gamma = 0.9


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `ActorCritic.train_net`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, s, a, prob_a, advantage, td_target):
        pi_a = self.model.pi(s).gather(1, a)
        ratio = pi_a / prob_a
        surr2 = torch.clamp(ratio, 0.8, 1.2) * advantage
        loss = -torch.min(ratio * advantage, surr2) + F.smooth_l1_loss(self.model.v(s), td_target)
        total_loss = loss.mean()
        return total_loss, loss.detach()


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 8)
        self.fc_pi = nn.Linear(8, 2)
        self.fc_v = nn.Linear(8, 1)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=0.01)

    def pi(self, x):
        return F.softmax(self.fc_pi(torch.relu(self.fc(x))), dim=1)

    def v(self, x):
        return self.fc_v(torch.relu(self.fc(x)))

    def advantages(self, s, r, s_prime):
        with torch.no_grad():
            td_target = r + gamma * self.v(s_prime)
            delta = (td_target - self.v(s)).numpy()
            advantage, found = 0.0, []
            for item in delta[::-1]:
                advantage = gamma * advantage + item[0]
                found.append([float(advantage)])
            found.reverse()
        return td_target, found

    @torch.no_grad()
    def old_probabilities(self, s, a):
        return self.pi(s).gather(1, a)

    def train_net(self, s, a, r, s_prime):
        model_with_loss = ort_module(ModuleWithLoss, self)
        td_target, advantages = self.advantages(s, r, s_prime)
        advantage = torch.tensor(advantages)
        prob_a = self.old_probabilities(s, a)

        for i in range(2):
            total_loss, loss = model_with_loss(s, a, prob_a, advantage, td_target)

            self.optimizer.zero_grad()
            total_loss.backward()
            self.optimizer.step()
        print('%.5f' % loss.mean().item())


model = ActorCritic()
for episode in range(2):
    model.train_net(
        torch.randn(5, 3), torch.randint(0, 2, (5, 1)), torch.randn(5, 1), torch.randn(5, 3)
    )
