from collections import namedtuple

import torch
from torch import nn

torch.manual_seed(0)
Output = namedtuple("Output", ["prediction", "attention"])


class Attentive(nn.Module):
    def __init__(self):
        super().__init__()
        self.score, self.value = nn.Linear(4, 1), nn.Linear(4, 3)

    def forward(self, x):
        attention = torch.softmax(self.score(x), dim=1)
        return Output((attention * self.value(x)).sum(1), attention)


model = Attentive()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for x, y in [(torch.randn(2, 5, 4), torch.randn(2, 3)) for _ in range(3)]:
    out = model(x)
    loss = criterion(out.prediction, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f} {out.attention.max().item():.5f}")
