import torch
import torch.nn as nn
import torch.nn.functional as F

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


embedding = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
criterion = ContrastiveLoss()
optimizer = torch.optim.Adam(embedding.parameters(), lr=0.005)
pairs = [(torch.randn(5, 6), torch.randn(5, 6), torch.randint(0, 2, (5,)).float()) for _ in range(3)]

for img0, img1, label in pairs:
    optimizer.zero_grad()
    # the same network sees both images
    output1 = embedding(img0)
    output2 = embedding(img1)
    loss_contrastive = criterion(output1, output2, label)
    loss_contrastive.backward()
    optimizer.step()
    print(f"{loss_contrastive.item():.5f}")
