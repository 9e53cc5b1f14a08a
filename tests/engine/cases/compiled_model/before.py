import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
model = torch.compile(model, backend="eager")
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for x, y in [(torch.randn(6, 4), torch.randn(6, 1)) for _ in range(3)]:
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")

model.eval()
print(f"{model(torch.ones(1, 4)).item():.5f}")
