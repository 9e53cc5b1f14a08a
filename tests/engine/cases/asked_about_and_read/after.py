"""What a condition asks about is what its branch reads: it goes into forward once."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

model = nn.Linear(4, 5)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, logits, y):
        return self.criterion(logits, y)

    def forward(self, columns, x, y):
        logits = self.model(x) if columns is None else self.model(x)[:, columns]
        loss = self.compute_loss(logits, y)
        return loss, logits.detach()


def train(batches, columns):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    for task, (x, y) in batches:
        optimizer.zero_grad()
        loss, logits = model_with_loss(columns[task], x, y)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f} {logits.shape[1]}")


if __name__ == "__main__":
    torch.manual_seed(0)
    batches = [(i % 2, (torch.randn(6, 4), torch.randint(3, (6,)))) for i in range(4)]
    train(batches, [None, torch.tensor([0, 2, 3])])
