"""Fine-tuning: the backbone stays in eval mode, its running statistics must not move."""
import torch
from torch import nn

torch.manual_seed(0)


class FineTuned(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.ReLU())
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head(self.backbone(x))


model = FineTuned()
for parameter in model.backbone.parameters():
    parameter.requires_grad = False
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)

for epoch in range(2):
    model.train()
    model.backbone.eval()
    for x, y in [(torch.randn(4, 6), torch.randint(0, 2, (4,))) for _ in range(2)]:
        out = model(x)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")
    model.eval()
