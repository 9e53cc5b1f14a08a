"""The base class trains what its subclasses make: here `encoder` and `decoder` are still None."""

import torch
from torch import nn
from torch.nn import functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Base.fit`, exported to ONNX Runtime as one graph."""

    def __init__(self, encoder, decoder, loss_function):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.loss_function = loss_function

    def forward(self, x):
        mean, log_var, code = self.encoder(x)
        reconstruction = self.decoder(code)
        loss, reconstruction_loss, kl = self.loss_function(x, reconstruction, mean, log_var)
        return loss, reconstruction_loss, kl


class Base(nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.weight = weight
        self.encoder = None
        self.decoder = None

    def loss_function(self, x, reconstruction, mean, log_var):
        reconstruction_loss = F.mse_loss(reconstruction, x)
        kl = -0.5 * (1 + log_var - mean.pow(2) - log_var.exp()).mean()
        return reconstruction_loss + self.weight * kl, reconstruction_loss, kl

    def fit(self, loader, epochs):
        encoder_with_loss = ort_module(
            ModuleWithLoss, self.encoder, self.decoder, self.loss_function
        )
        optimizer = torch.optim.Adam(self.parameters())
        for epoch in range(epochs):
            self.train()
            total = 0.0
            for x in loader:
                optimizer.zero_grad()

                loss, reconstruction_loss, kl = encoder_with_loss(x)
                loss.backward()
                optimizer.step()
                total += reconstruction_loss.item() + kl.item()
            print(f"{epoch} {total:.5f}")


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = nn.Linear(6, 2)
        self.log_var = nn.Linear(6, 2)

    def forward(self, x):
        mean, log_var = self.mean(x), self.log_var(x)
        return mean, log_var, mean + torch.exp(0.5 * log_var)


class Small(Base):
    def __init__(self):
        super().__init__(0.1)
        self.encoder = Encoder()
        self.decoder = nn.Linear(2, 6)


if __name__ == "__main__":
    Small().fit([torch.randn(4, 6) for _ in range(2)], 2)
