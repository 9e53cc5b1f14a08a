import torch
from torch import nn


class Forecaster(nn.Module):
    def __init__(self, window, horizon):
        super().__init__()
        self.season = nn.Linear(window, horizon)
        self.trend = nn.Linear(window, horizon)

    def forward(self, x, marks=None):
        x = x.transpose(1, 2)
        trend = x.mean(dim=-1, keepdim=True)
        out = self.season(x - trend) + self.trend(trend.expand_as(x))
        return out.transpose(1, 2)


class Experiment:
    def __init__(self, args):
        self.args = args
        self.device = torch.device("cpu")
        self.model = self._build_model().to(self.device)

    def _build_model(self):
        return Forecaster(self.args.window, self.args.horizon)
