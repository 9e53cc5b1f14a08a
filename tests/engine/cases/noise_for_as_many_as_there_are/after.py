"""A generator's noise is drawn by a method that casts the number of images, a number already."""
import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, generator, discriminator, noise):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.noise = noise

    def forward(self, batch_size):
        fakes = self.generator(self.noise(batch_size))
        scores = self.discriminator(fakes)
        return F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores))


class Trainer:
    def __init__(self, generator, discriminator, latent_dim):
        self.generator = generator
        self.discriminator = discriminator
        self.latent_dim = int(latent_dim)

    def _noise(self, batch_size):
        return torch.randn(int(batch_size), self.latent_dim)

    def train(self, batches, optimizer):
        generator_with_loss = ort_module(
            ModuleWithLoss, self.generator, self.discriminator, self._noise
        )
        for images in batches:
            batch_size = len(images)
            optimizer.zero_grad()
            loss = generator_with_loss(batch_size)
            loss.backward()
            optimizer.step()
            print(f"{loss.item():.4f}")


def main():
    torch.manual_seed(0)
    batches = [torch.randn(n, 6) for n in (4, 4, 3, 4)]
    generator, discriminator = nn.Linear(2, 6), nn.Linear(6, 1)
    optimizer = torch.optim.SGD(generator.parameters(), lr=0.1)
    Trainer(generator, discriminator, 2).train(batches, optimizer)


if __name__ == "__main__":
    main()
