"""A network that trains itself, and what makes it a module stands in another file."""

import torch
import torch.nn.functional as F
from learning import Learner
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Ranker.learn`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, scores, y, share_of_replay):
        return F.cross_entropy(scores, y) * share_of_replay

    def forward(self, x, y, share_of_replay):
        scores = self.model(x)
        return self.compute_loss(scores, y, share_of_replay)


class Ranker(Learner):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(5, 8)
        self.outer = nn.Linear(8, 3)

    def forward(self, x):
        return self.outer(torch.relu(self.inner(x)))

    def learn(self, x, y):
        model_with_loss = ort_module(ModuleWithLoss, self)
        self.optimizer.zero_grad()
        loss = model_with_loss(x, y, self.share_of_replay)
        loss.backward()
        self.optimizer.step()
        return loss.item()


ranker = Ranker()
ranker.optimizer = torch.optim.SGD(ranker.parameters(), lr=0.1)
for _ in range(4):
    print(f"{ranker.learn(torch.randn(6, 5), torch.randint(0, 3, (6,))):.5f}")
