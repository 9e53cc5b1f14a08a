"""`loss` is the criterion, `output` the loss, and `F` a function of one's own."""
import torch
from torch import nn

torch.manual_seed(0)


def F(tensor):
    return tensor.clamp(min=-3.0, max=3.0)


model = torch.randn(12, 4)
labels = torch.randint(0, 3, (12,))
mlp = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
loss = nn.CrossEntropyLoss()
opt = torch.optim.SGD(mlp.parameters(), lr=0.1)

for start in range(0, 12, 4):
    opt.zero_grad()
    scores = F(mlp(model[start:start + 4]))
    output = loss(scores, labels[start:start + 4])
    output.backward()
    opt.step()
    print(f"{output.item():.5f}")
