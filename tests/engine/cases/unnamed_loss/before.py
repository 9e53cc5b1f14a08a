import torch
from torch import nn

torch.manual_seed(0)
policy = nn.Linear(4, 2)
model = nn.Sequential(policy, nn.Tanh())
criterion = nn.SmoothL1Loss()
opt = torch.optim.SGD(model.parameters(), lr=0.1)

for x, y in [(torch.randn(5, 4), torch.randn(5, 2)) for _ in range(4)]:
    opt.zero_grad()
    criterion(model(x), y).backward()  # one line is enough
    opt.step()

print(f"{model(torch.ones(1, 4)).sum().item():.5f}")
