import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, output1, output2, label):
        distance = F.pairwise_distance(output1, output2)
        pull = label * distance.pow(2)
        push = (1 - label) * torch.clamp(self.margin - distance, min=0.0).pow(2)
        return torch.mean(pull + push)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, embedding, criterion):
        super().__init__()
        self.embedding = embedding
        self.criterion = criterion

    def compute_loss(self, output1, output2, label):
        return self.criterion(output1, output2, label)

    def forward(self, img0, img1, label):
        output1 = self.embedding(img0)
        output2 = self.embedding(img1)
        return self.compute_loss(output1, output2, label)


embedding = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
criterion = ContrastiveLoss()
optimizer = torch.optim.Adam(embedding.parameters(), lr=0.005)
pairs = [(torch.randn(5, 6), torch.randn(5, 6), torch.randint(0, 2, (5,)).float()) for _ in range(3)]

embedding_with_loss = ort_module(ModuleWithLoss, embedding, criterion)
for img0, img1, label in pairs:
    optimizer.zero_grad()
    # the same network sees both images
    loss_contrastive = embedding_with_loss(img0, img1, label)
    loss_contrastive.backward()
    optimizer.step()
    print(f"{loss_contrastive.item():.5f}")
