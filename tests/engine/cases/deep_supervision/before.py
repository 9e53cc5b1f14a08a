import torch
import torch.nn as nn

torch.manual_seed(0)


class Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList(nn.Linear(6, 6) for _ in range(3))

    def forward(self, x):
        outs = []
        for stage in self.stages:
            x = torch.tanh(stage(x))
            outs.append(x)
        return outs


model = Pyramid()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for x, y in [(torch.randn(4, 6), torch.randn(4, 6)) for _ in range(3)]:
    outputs = model(x)
    loss = 0.0
    for output in outputs:
        loss += criterion(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
