import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Linear(5, 3)
        self.aux = nn.Linear(5, 3)

    def forward(self, x):
        return self.main(x), self.aux(x)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, inputs, labels):
        outputs = self.model(inputs)
        loss1 = self.criterion(outputs[0], labels)
        loss2 = self.criterion(outputs[1], labels)
        loss = loss1 + 0.4 * loss2
        return loss, loss1.detach(), loss2.detach()


model = TwoHeads()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for inputs, labels in [(torch.randn(6, 5), torch.randint(0, 3, (6,))) for _ in range(3)]:
    loss, loss1, loss2 = model_with_loss(inputs, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss1:.5f} {loss2:.5f}")
