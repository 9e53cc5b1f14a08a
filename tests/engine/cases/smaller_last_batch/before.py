"""Trap: the loss is divided by how many samples there are, and the last batch has fewer."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

data = torch.randn(18, 6), torch.randint(3, (18,))
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data), batch_size=8)
model = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(2):
    for inputs, targets in loader:
        outputs = model(inputs)
        loss = F.cross_entropy(outputs, targets, reduction="sum")
        loss = loss / len(inputs) + outputs.pow(2).sum() / inputs.shape[0]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())
