"""`self.backbone` is the name of one: what is prepared by it stays outside of forward."""
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


def build_model(size):
    return nn.Sequential(nn.Linear(size, size), nn.Tanh())


def prepare(batch, backbone):
    return batch["x"] if backbone == "vae" else batch["x"] * 2


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.step`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, outputs, target):
        return F.mse_loss(outputs, target)

    def forward(self, inputs, target):
        outputs = self.model(inputs)
        return self.compute_loss(outputs, target)


class Trainer:
    def __init__(self, cfg):
        self.backbone = str(cfg.backbone).lower()
        self.model = build_model(cfg.size)
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def step(self, batch):
        model_with_loss = ort_module(ModuleWithLoss, self.model)
        inputs = prepare(batch, backbone=self.backbone)
        loss = model_with_loss(inputs, batch["target"])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


torch.manual_seed(0)
trainer = Trainer(SimpleNamespace(backbone="VAE", size=4))
for _ in range(3):
    trainer.step({"x": torch.randn(5, 4), "target": torch.randn(5, 4)})
