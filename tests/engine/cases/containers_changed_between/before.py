import torch
from torch import nn

import settings

torch.manual_seed(0)

model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

seen = set()
weights = [3.0, 1.0, 2.0]

for step in range(8):
    data, target = torch.randn(8, 4), torch.randint(0, 3, (8,))
    output = model(data)
    seen.add(step % 3)
    weights.sort()
    settings.scale = 1.0 + step // 4
    loss = criterion(output, target) * len(seen) / weights[-1] * settings.scale
    weights.reverse()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.3f}")
