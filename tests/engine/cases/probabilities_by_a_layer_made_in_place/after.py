import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(5)


def on_one_device(image, weight):
    mean = image.mean(1, True)
    if mean.is_cuda:
        weight = weight.cuda()
    return mean * weight


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, inputs, labels, weight):
        outputs = self.model(inputs)
        labels = labels.long()
        loss = self.criterion(outputs, labels) + on_one_device(outputs, weight).pow(2).mean()
        return loss, outputs.detach(), labels


def train(model, criterion, optimizer, loader, weight):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    right = 0
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss, outputs, labels = model_with_loss(inputs, labels, weight)
        probs = nn.Softmax(dim=1)(outputs)
        preds = torch.max(probs, 1)[1]
        loss.backward()
        optimizer.step()
        right += torch.sum(preds == labels.data).item()
        print(f"{loss.item():.5f} {right}")


model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loader = [(torch.randn(4, 6), torch.randint(0, 3, (4,)).int()) for _ in range(3)]
for epoch in range(2):
    train(model, nn.CrossEntropyLoss(), optimizer, loader, torch.ones(1))
