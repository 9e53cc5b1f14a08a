"""The discriminator sees what is real, new noise is drawn into its tensor, then what is not."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, x):
        return self.layers(x).squeeze(1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, netd, netg):
        super().__init__()
        self.netd = netd
        self.netg = netg

    def compute_loss(self, r_preds, f_preds):
        r_f_diff = (r_preds - f_preds.mean()).clamp(max=1)
        f_r_diff = (f_preds - r_preds.mean()).clamp(min=-1)
        return (1 - r_f_diff).mean() + (1 + f_r_diff).mean()

    def forward(self, real_img, noises):
        r_preds = self.netd(real_img)
        fake_img = self.netg(noises).detach()
        f_preds = self.netd(fake_img)
        return self.compute_loss(r_preds, f_preds)


netg = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4))
netd = Critic()
optimizer_d = torch.optim.SGD(netd.parameters(), lr=0.1)
noises = torch.randn(5, 3)

netd_with_loss = ort_module(ModuleWithLoss, netd, netg)
for real_img in torch.randn(3, 5, 4):
    optimizer_d.zero_grad()

    noises.data.copy_(torch.randn(5, 3))
    loss_d = netd_with_loss(real_img, noises)

    loss_d.backward()
    optimizer_d.step()
    print(f"{loss_d.item():.5f}")
