import torch
import torch.nn.functional as F
from torch import nn, optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(6, 4)
        self.decode = nn.Linear(2, 6)

    def forward(self, x):
        mu, logvar = self.encode(x).chunk(2, dim=1)
        return self.decode(mu), mu, logvar


def vae_loss(recon, x, mu, logvar, kld_weight):
    bce = F.binary_cross_entropy_with_logits(recon, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    loss = bce + kld_weight * kld
    right = (recon.detach() > 0).eq(x > 0.5).sum().item()
    logs = {"bce": bce.item(), "kld": kld.item(), "accuracy": 100.0 * right / x.numel()}
    logs["bits"] = round(bce.item() / x.size(0), 3)
    return loss, logs


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, kld_weight):
        recon, mu, logvar = self.model(x)
        loss, logs = vae_loss(recon, x, mu, logvar, kld_weight)
        return loss, logs


def train(model, loader, optimizer, kld_weight):
    model_with_loss = ort_module(ModuleWithLoss, model)
    total = 0.0
    for x in loader:
        optimizer.zero_grad()
        loss, logs = model_with_loss(x, kld_weight)
        loss.backward()
        optimizer.step()
        total += logs["bce"]
        print(" ".join(f"{name} {value:.4f}" for name, value in sorted(logs.items())))
    return total


vae = Autoencoder()
sgd = optim.SGD(vae.parameters(), lr=0.01)
batches = [torch.rand(5, 6), torch.rand(5, 6), torch.rand(3, 6)]
for epoch in range(3):
    print("total %.3f" % train(vae, batches, sgd, kld_weight=0.5))
