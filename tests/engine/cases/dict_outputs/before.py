import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Multitask(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(6, 8)
        self.heads = nn.ModuleDict({"depth": nn.Linear(8, 1), "label": nn.Linear(8, 3)})

    def forward(self, x):
        h = torch.relu(self.shared(x))
        return {name: head(h) for name, head in self.heads.items()}


model = Multitask()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)


def train_one_epoch(model, loader, optimizer):
    correct = 0
    for samples, targets in loader:
        outputs = model(samples)
        loss = F.l1_loss(outputs["depth"], targets["depth"]) + F.cross_entropy(
            outputs["label"], targets["label"]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        correct += (outputs["label"].argmax(1) == targets["label"]).sum().item()
        print(f"{loss.item():.5f}")
    return correct


loader = [
    (torch.randn(4, 6), {"depth": torch.rand(4, 1), "label": torch.randint(0, 3, (4,))})
    for _ in range(3)
]
print(train_one_epoch(model, loader, optimizer))
