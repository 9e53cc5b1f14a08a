"""`self.backbone` is the name of one: what is prepared by it stays outside of forward."""
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn


def build_model(size):
    return nn.Sequential(nn.Linear(size, size), nn.Tanh())


def prepare(batch, backbone):
    return batch["x"] if backbone == "vae" else batch["x"] * 2


class Trainer:
    def __init__(self, cfg):
        self.backbone = str(cfg.backbone).lower()
        self.model = build_model(cfg.size)
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def step(self, batch):
        inputs = prepare(batch, backbone=self.backbone)
        outputs = self.model(inputs)
        loss = F.mse_loss(outputs, batch["target"])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


torch.manual_seed(0)
trainer = Trainer(SimpleNamespace(backbone="VAE", size=4))
for _ in range(3):
    trainer.step({"x": torch.randn(5, 4), "target": torch.randn(5, 4)})
