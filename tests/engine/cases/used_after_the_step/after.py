import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
trainloader = [(torch.randn(8, 6), torch.randint(0, 4, (8,))) for _ in range(3)]


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, criterion):
        super().__init__()
        self.net = net
        self.criterion = criterion

    def compute_loss(self, outputs, targets):
        return self.criterion(outputs, targets)

    def forward(self, inputs, targets):
        outputs = self.net(inputs)
        loss = self.compute_loss(outputs, targets)
        return loss, outputs.detach()


def train(epoch):
    net_with_loss = ort_module(ModuleWithLoss, net, criterion)
    print('\nEpoch: %d' % epoch)
    net.train()
    train_loss = 0
    correct = 0
    total = 0
    for batch_idx, (inputs, targets) in enumerate(trainloader):
        optimizer.zero_grad()
        loss, outputs = net_with_loss(inputs, targets)
        loss.backward()
        optimizer.step()

        train_loss += loss.item()
        _, predicted = outputs.max(1)
        total += targets.size(0)
        correct += predicted.eq(targets).sum().item()

        print(batch_idx, len(trainloader), 'Loss: %.5f | Acc: %.3f%% (%d/%d)'
              % (train_loss / (batch_idx + 1), 100. * correct / total, correct, total))


for epoch in range(2):
    train(epoch)
