import torch
import torch.nn.functional as F
from torch import nn


class Solver:
    def __init__(self, model, temperature):
        self.model = model
        self.temperature = temperature
        self.head = nn.Linear(6, 3)

    def contrast(self, features, labels):
        features = F.normalize(self.head(features), dim=1)
        alike = features @ features.t() / self.temperature
        same = (labels[:, None] == labels[None, :]).float()
        return F.binary_cross_entropy_with_logits(alike, same)
