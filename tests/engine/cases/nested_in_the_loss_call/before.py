import torch
from torch import nn, optim

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.1)
trainloader = [(torch.randn(6, 5), torch.randint(0, 2, (6,))) for _ in range(3)]

for epoch in range(2):
    for inputs, labels in trainloader:
        optimizer.zero_grad()
        loss = criterion(net(inputs), labels)
        loss.backward()
        optimizer.step()
    print(f"[{epoch + 1}] loss: {loss.item():.5f}")
