import torch
import torch.nn as nn
from ortwrap.runtime import ort_module


class GWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, G, D):
        super().__init__()
        self.G = G
        self.D = D

    def compute_loss(self, prob_artist1):
        return torch.mean(torch.log(1. - prob_artist1))

    def forward(self, G_ideas):
        G_paintings = self.G(G_ideas)                    # fake painting from G (random ideas)
        prob_artist1 = self.D(G_paintings)               # D try to reduce this prob
        G_loss = self.compute_loss(prob_artist1)
        return G_loss, G_paintings.detach()


class DWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, D):
        super().__init__()
        self.D = D

    def compute_loss(self, prob_artist0, prob_artist1):
        return - torch.mean(torch.log(prob_artist0) + torch.log(1. - prob_artist1))

    def forward(self, artist_paintings, G_paintings):
        prob_artist0 = self.D(artist_paintings)          # D try to increase this prob
        prob_artist1 = self.D(G_paintings)      # D try to reduce this prob
        D_loss = self.compute_loss(prob_artist0, prob_artist1)
        return D_loss, prob_artist0.detach()


torch.manual_seed(0)
BATCH_SIZE, N_IDEAS, ART_COMPONENTS = 4, 3, 5

G = nn.Sequential(nn.Linear(N_IDEAS, 8), nn.ReLU(), nn.Linear(8, ART_COMPONENTS))
D = nn.Sequential(nn.Linear(ART_COMPONENTS, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())

opt_D = torch.optim.Adam(D.parameters(), lr=0.01)
opt_G = torch.optim.Adam(G.parameters(), lr=0.01)

G_with_loss = ort_module(GWithLoss, G, D)
D_with_loss = ort_module(DWithLoss, D)
for step in range(3):
    artist_paintings = torch.randn(BATCH_SIZE, ART_COMPONENTS)
    G_ideas = torch.randn(BATCH_SIZE, N_IDEAS, requires_grad=True)  # random ideas
    G_loss, G_paintings = G_with_loss(G_ideas)
    opt_G.zero_grad()
    G_loss.backward()
    opt_G.step()

    D_loss, prob_artist0 = D_with_loss(artist_paintings, G_paintings.detach())
    opt_D.zero_grad()
    D_loss.backward(retain_graph=True)          # reusing computational graph
    opt_D.step()
    print('%.5f %.5f' % (prob_artist0.data.numpy().mean(), D_loss.item()))
