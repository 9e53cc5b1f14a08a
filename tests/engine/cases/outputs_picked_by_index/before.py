import torch
from torch import nn

torch.manual_seed(0)


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Linear(5, 3)
        self.aux = nn.Linear(5, 3)

    def forward(self, x):
        return self.main(x), self.aux(x)


model = TwoHeads()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for inputs, labels in [(torch.randn(6, 5), torch.randint(0, 3, (6,))) for _ in range(3)]:
    outputs = model(inputs)
    loss1 = criterion(outputs[0], labels)
    loss2 = criterion(outputs[1], labels)
    loss = loss1 + 0.4 * loss2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss1:.5f} {loss2:.5f}")
