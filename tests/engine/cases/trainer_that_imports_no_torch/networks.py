import torch
from torch import nn


class Pix2PixModel(nn.Module):
    """Returns its losses, and what it generated."""

    def __init__(self, opt):
        super().__init__()
        self.net = nn.Linear(4, opt["width"])

    def forward(self, data, mode):
        generated = torch.tanh(self.net(data))
        losses = {"size": generated.pow(2), "bias": generated.mean(dim=0)}
        return (losses, generated) if mode == "generator" else generated

    def create_optimizer(self, opt):
        return torch.optim.SGD(self.parameters(), lr=opt["lr"])


def batches(count):
    torch.manual_seed(0)
    return [torch.randn(3, 4) for _ in range(count)]
