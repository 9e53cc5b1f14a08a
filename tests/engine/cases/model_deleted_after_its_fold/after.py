import weakref

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
folds = [[(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(3)] for _ in range(2)]


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `cross_validate`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, prediction, y):
        return nn.functional.mse_loss(prediction, y)

    def forward(self, x, y):
        prediction = self.model(x)
        return self.compute_loss(prediction, y)


def cross_validate():
    for fold, loader in enumerate(folds):
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        model_with_loss = ort_module(ModelWithLoss, model)
        for x, y in loader:
            optimizer.zero_grad()
            loss = model_with_loss(x, y)
            loss.backward()
            optimizer.step()
        print(fold, f"{loss.item():.5f}")
        kept = weakref.ref(model)
        # room for the next one
        del model, optimizer, model_with_loss
        assert kept() is None


class StudentWithLoss(nn.Module):
    """Forward pass and loss of `distill`, exported to ONNX Runtime as one graph."""

    def __init__(self, student):
        super().__init__()
        self.student = student

    def forward(self, x, wanted):
        return nn.functional.mse_loss(self.student(x), wanted)


def distill(loader):
    teacher = nn.Linear(3, 1).eval()
    student = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    student_with_loss = ort_module(StudentWithLoss, student)
    for x, _ in loader:
        with torch.no_grad():
            wanted = teacher(x)
        loss = student_with_loss(x, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    kept = weakref.ref(student)
    student = student_with_loss = None
    assert kept() is None
    print(f"{loss.item():.5f}")


cross_validate()
distill(folds[0])
