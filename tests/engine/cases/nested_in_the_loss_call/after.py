import torch
from torch import nn, optim
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, net, criterion):
        super().__init__()
        self.net = net
        self.criterion = criterion

    def forward(self, inputs, labels):
        return self.criterion(self.net(inputs), labels)


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.1)
trainloader = [(torch.randn(6, 5), torch.randint(0, 2, (6,))) for _ in range(3)]

net_with_loss = ort_module(ModuleWithLoss, net, criterion)
for epoch in range(2):
    for inputs, labels in trainloader:
        optimizer.zero_grad()
        loss = net_with_loss(inputs, labels)
        loss.backward()
        optimizer.step()
    print(f"[{epoch + 1}] loss: {loss.item():.5f}")
