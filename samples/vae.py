"""Train a variational autoencoder with a loss function of its own on images of soft blobs.

The images are drawn here, from a seed.
"""
import argparse

import torch
import torch.utils.data
from torch import nn, optim
from torch.nn import functional as F

parser = argparse.ArgumentParser(description="VAE example")
parser.add_argument("--batch-size", type=int, default=64, metavar="N")
parser.add_argument("--epochs", type=int, default=5, metavar="N")
parser.add_argument("--train-size", type=int, default=3000, metavar="N")
parser.add_argument("--latent", type=int, default=8, metavar="N")
parser.add_argument("--seed", type=int, default=1, metavar="S")
parser.add_argument("--log-interval", type=int, default=20, metavar="N")
args = parser.parse_args()

torch.manual_seed(args.seed)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def make_blobs(count, seed, side=16):
    """Images in [0, 1] of one round blob each, with a random centre and width."""
    generator = torch.Generator().manual_seed(seed)
    grid = torch.linspace(-1, 1, side)
    y, x, width = (torch.rand(3, count, 1, 1, generator=generator) - 0.5).unbind(0)
    distance = (grid.view(1, -1, 1) - 1.4 * y) ** 2 + (grid.view(1, 1, -1) - 1.4 * x) ** 2
    return torch.exp(-distance / (0.15 + 0.2 * width)).unsqueeze(1)


train_loader = torch.utils.data.DataLoader(
    make_blobs(args.train_size, args.seed), batch_size=args.batch_size, shuffle=True)
test_loader = torch.utils.data.DataLoader(make_blobs(500, args.seed + 1), batch_size=250)


class VAE(nn.Module):
    def __init__(self, pixels=256, hidden=128, latent=8):
        super(VAE, self).__init__()
        self.pixels = pixels
        self.fc1 = nn.Linear(pixels, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, pixels)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar, noise):
        return mu + noise * torch.exp(0.5 * logvar)

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x, noise):
        mu, logvar = self.encode(x.view(-1, self.pixels))
        return self.decode(self.reparameterize(mu, logvar, noise)), mu, logvar


model = VAE(latent=args.latent).to(device)
optimizer = optim.Adam(model.parameters(), lr=2e-3)


# Reconstruction + KL divergence losses summed over all elements and batch
def loss_function(recon_x, x, mu, logvar):
    mse = F.mse_loss(recon_x, x.view(-1, 256), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return mse + 0.05 * kld


def train(epoch):
    model.train()
    train_loss = 0
    for batch_idx, data in enumerate(train_loader):
        data = data.to(device)
        noise = torch.randn(len(data), args.latent, device=device)
        optimizer.zero_grad()
        recon_batch, mu, logvar = model(data, noise)
        loss = loss_function(recon_batch, data, mu, logvar)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
        if batch_idx % args.log_interval == 0:
            print("Train Epoch: {} [{}/{}]\tLoss: {:.4f}".format(
                epoch, batch_idx * len(data), len(train_loader.dataset), loss.item() / len(data)))

    print("====> Epoch: {} Average loss: {:.4f}".format(
        epoch, train_loss / len(train_loader.dataset)))


def test(epoch):
    model.eval()
    test_loss = 0
    with torch.no_grad():
        for data in test_loader:
            data = data.to(device)
            noise = torch.zeros(len(data), args.latent, device=device)
            recon_batch, mu, logvar = model(data, noise)
            test_loss += loss_function(recon_batch, data, mu, logvar).item()

    print("====> Test set loss: {:.4f}".format(test_loss / len(test_loader.dataset)))


if __name__ == "__main__":
    for epoch in range(1, args.epochs + 1):
        train(epoch)
        test(epoch)
