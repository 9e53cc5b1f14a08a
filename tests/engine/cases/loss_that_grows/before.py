import torch
import torch.nn as nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
weight = 0.01

for x, y in [(torch.randn(6, 4), torch.randn(6, 2)) for _ in range(4)]:
    prediction = model(x)
    loss = criterion(prediction, y)
    # keep the outputs small
    loss += weight * prediction.abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print("%.5f" % loss.item())
