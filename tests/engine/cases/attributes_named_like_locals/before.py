"""Attributes, locals and the variables of comprehensions that go by one name are not the same."""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F


def sharpness(image):
    return (image[:, 1:] - image[:, :-1]).abs().mean()


class Denoiser:
    def __init__(self, args):
        self.args = args
        self.net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 8))
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.05)

    def fit(self, batches):
        self.args.weight *= 0.9
        for noisy, clean in batches:
            restored = self.net(noisy)
            self.restored = (restored + noisy) / 2
            self.sharpness = sharpness(restored)
            loss = F.mse_loss(restored, clean) + F.l1_loss(self.restored, clean)
            loss = loss + sum(self.sharpness * weight * self.args.weight for weight in (0.1, 0.2))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            print(f"loss {loss.item():.4f}, sharpness {self.sharpness.item():.4f}")


torch.manual_seed(0)
denoiser = Denoiser(argparse.Namespace(weight=0.5))
clean = torch.randn(4, 6, 8)
denoiser.fit([(image + 0.1 * torch.randn_like(image), image) for image in clean])
