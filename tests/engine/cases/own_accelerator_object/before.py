"""Whatever runs backward stays as it is."""
import torch
from torch import nn

torch.manual_seed(0)


class Accelerator:
    def prepare(self, *objects):
        return objects

    def backward(self, loss, **kwargs):
        loss.backward(**kwargs)


accelerator = Accelerator()
model = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 2))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
train_dataloader = [(torch.randn(4, 5), torch.randint(0, 2, (4,))) for _ in range(3)]
model, optimizer, train_dataloader = accelerator.prepare(model, optimizer, train_dataloader)

for source, targets in train_dataloader:
    optimizer.zero_grad()
    output = model(source)
    loss = nn.functional.cross_entropy(output, targets)
    accelerator.backward(loss)
    optimizer.step()
    print(f"{loss.item():.5f}")
