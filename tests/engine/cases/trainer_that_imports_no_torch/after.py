"""A trainer whose networks, optimizers and batches all come from other files of the project."""

from networks import Pix2PixModel, batches
from ortwrap.runtime import ort_module
from torch import nn


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Pix2PixTrainer.run_generator_one_step`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, pix2pix_model):
        super().__init__()
        self.pix2pix_model = pix2pix_model

    def compute_loss(self, g_losses):
        return sum(term.mean() for term in g_losses.values())

    def forward(self, data):
        g_losses, generated = self.pix2pix_model(data, mode="generator")
        g_loss = self.compute_loss(g_losses)
        return g_loss, generated


class Pix2PixTrainer:
    def __init__(self, opt):
        self.pix2pix_model = Pix2PixModel(opt)
        self.optimizer_G = self.pix2pix_model.create_optimizer(opt)

    def run_generator_one_step(self, data):
        pix2pix_model_with_loss = ort_module(ModuleWithLoss, self.pix2pix_model)
        self.optimizer_G.zero_grad()
        g_loss, generated = pix2pix_model_with_loss(data)
        g_loss.backward()
        self.optimizer_G.step()
        self.generated = generated

    def update_learning_rate(self, factor):
        for param_group in self.optimizer_G.param_groups:
            param_group["lr"] *= factor


trainer = Pix2PixTrainer({"width": 6, "lr": 0.5})
for data in batches(4):
    trainer.run_generator_one_step(data)
    trainer.update_learning_rate(0.5)
    print(trainer.generated.abs().max().item())
