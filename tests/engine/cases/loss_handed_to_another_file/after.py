"""A function of another file updates the weights: nothing here says how."""

import torch
from torch import nn
from updates import update
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, head, encoder, criterion):
        super().__init__()
        self.head = head
        self.encoder = encoder
        self.criterion = criterion

    def compute_loss(self, outputs, labels):
        return self.criterion(outputs, labels) + 0.01 * outputs.pow(2).mean()

    def forward(self, inputs, labels):
        outputs = self.head(torch.relu(self.encoder(inputs)))
        loss = self.compute_loss(outputs, labels)
        return loss, outputs.detach()


torch.manual_seed(0)
encoder, head = nn.Linear(4, 8), nn.Linear(8, 2)
criterion = nn.CrossEntropyLoss()
parameters = [*encoder.parameters(), *head.parameters()]
optimizer = torch.optim.Adam(parameters, lr=0.01)

head_with_loss = ort_module(ModuleWithLoss, head, encoder, criterion)
for step in range(6):
    inputs, labels = torch.randn(8, 4), torch.randint(0, 2, (8,))
    loss, outputs = head_with_loss(inputs, labels)
    value = update(loss, optimizer, parameters, longest=1.0)
    print(step, value, (outputs.argmax(dim=1) == labels).sum().item())
