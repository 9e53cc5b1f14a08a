"""Polynomial fit by tensor operations, no criterion."""
import torch

torch.manual_seed(0)
x = torch.linspace(-1, 1, 20).unsqueeze(1).pow(torch.tensor([1.0, 2.0, 3.0]))
y = torch.sin(3 * x[:, :1])
fc = torch.nn.Linear(3, 1)
optimizer = torch.optim.RMSprop(fc.parameters(), lr=1e-2)

for t in range(4):
    y_pred = fc(x)
    optimizer.zero_grad()
    (y_pred - y).pow(2).sum().backward()
    optimizer.step()
    print(t, f"{y_pred.detach().mean():.5f}")
