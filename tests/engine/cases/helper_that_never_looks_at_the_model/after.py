"""A helper takes the model beside the batch and makes no use of it: what it does stays outside."""

import torch
from torch import nn
from ortwrap.runtime import ort_module


def prepare_inputs(batch, model, with_text=False):
    tokens, targets = (part.long() for part in batch[:2])
    if with_text:
        return {"tokens": tokens}, targets, batch[2]
    return {"tokens": tokens}, targets


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, inputs, targets):
        return self.head(self.embedding(inputs["tokens"]).mean(1))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, logits, targets):
        return self.criterion(logits, targets)

    def forward(self, inputs, targets):
        logits = self.model(inputs, targets)
        loss = self.compute_loss(logits, targets)
        return loss, logits.detach()


torch.manual_seed(0)
model = Classifier()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
batches = [
    (torch.randint(20, (4, 5)), torch.randint(3, (4,)), [f"text {i}.{j}" for j in range(4)])
    for i in range(4)
]

model.train()
model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for batch in batches:
    inputs, targets = prepare_inputs(batch, model)
    loss, logits = model_with_loss(inputs, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), (logits.argmax(1) == targets).sum().item())
