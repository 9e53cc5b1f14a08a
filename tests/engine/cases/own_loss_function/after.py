"""Variational autoencoder"""
import torch
from torch import nn, optim
from torch.nn import functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(1)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 8)
        self.mu, self.logvar = nn.Linear(8, 3), nn.Linear(8, 3)
        self.fc2 = nn.Linear(3, 10)

    def forward(self, x):
        h = F.relu(self.fc1(x))
        mu, logvar = self.mu(h), self.logvar(h)
        return torch.sigmoid(self.fc2(mu + 0.1 * torch.exp(0.5 * logvar))), mu, logvar


model = VAE()
optimizer = optim.Adam(model.parameters(), lr=1e-2)


# Reconstruction + KL divergence losses summed over all elements and batch
def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 10), reduction='sum')
    # 0.5 * sum(1 + log(sigma^2) - mu^2 - sigma^2)
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, recon_batch, data, mu, logvar):
        return loss_function(recon_batch, data, mu, logvar)

    def forward(self, data):
        recon_batch, mu, logvar = self.model(data)
        return self.compute_loss(recon_batch, data, mu, logvar)


def train(epoch):
    model_with_loss = ort_module(ModuleWithLoss, model)
    model.train()
    train_loss = 0
    for data in torch.rand(3, 4, 10):
        optimizer.zero_grad()
        loss = model_with_loss(data)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
    print('====> Epoch: {} Average loss: {:.5f}'.format(epoch, train_loss / 12))


for epoch in range(2):
    train(epoch)
