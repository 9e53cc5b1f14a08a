import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 2)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
batches = [(torch.randn(3, 4), torch.randn(3, 2)) for _ in range(4)]
batches[1][0][0, 0] = float("nan")  # a broken sample

for step, (x, y) in enumerate(batches):
    pred = model(x)
    loss = criterion(pred, y)
    if torch.isnan(loss):
        print("skipping batch", step)
        continue
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, f"{loss.item():.5f}")
