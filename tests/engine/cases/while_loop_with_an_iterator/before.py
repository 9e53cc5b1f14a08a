import torch
from torch import nn

torch.manual_seed(0)
loader = [(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(2)]
model = nn.Linear(3, 1)
mse = nn.MSELoss()
optim = torch.optim.SGD(model.parameters(), lr=0.1)

iteration, batches = 0, iter(loader)
while iteration < 4:
    try:
        x, y = next(batches)
    except StopIteration:
        batches = iter(loader)
        x, y = next(batches)
    optim.zero_grad()
    loss = mse(model(x), y)
    loss.backward()
    optim.step()
    iteration += 1
    print(iteration, f"{loss.item():.5f}")
