import torch
import torch.nn.functional as F
from lightning.fabric import Fabric
from torch import nn

fabric = Fabric(accelerator="cpu", devices=1)
fabric.launch()
fabric.seed_everything(0, verbose=False)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model, optimizer = fabric.setup(model, optimizer)

for data, target in [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(4)]:
    optimizer.zero_grad()
    output = model(data)
    loss = F.cross_entropy(output, target)
    fabric.backward(loss)
    optimizer.step()
    fabric.print(f"{loss.item():.5f}")
