import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, embedding_net, triplet_loss):
        super().__init__()
        self.embedding_net = embedding_net
        self.triplet_loss = triplet_loss

    def compute_loss(self, a, p, n):
        return self.triplet_loss(a, p, n)

    def forward(self, anchor, positive, negative):
        a, p, n = self.embedding_net(anchor), self.embedding_net(positive), self.embedding_net(negative)
        loss = self.compute_loss(a, p, n)
        return loss, a.detach(), p


torch.manual_seed(0)
embedding_net = nn.Sequential(nn.Linear(6, 8), nn.PReLU(), nn.Linear(8, 2))
triplet_loss = nn.TripletMarginLoss(margin=1.0, p=2)
optimizer = torch.optim.SGD(embedding_net.parameters(), lr=1e-1)

embedding_net_with_loss = ort_module(ModuleWithLoss, embedding_net, triplet_loss)
for anchor, positive, negative in torch.randn(3, 3, 4, 6):
    loss, a, p = embedding_net_with_loss(anchor, positive, negative)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f} {(a - p).norm().item():.4f}")
