import weakref

import torch
from torch import nn

torch.manual_seed(0)
folds = [[(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(3)] for _ in range(2)]


def cross_validate():
    for fold, loader in enumerate(folds):
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for x, y in loader:
            optimizer.zero_grad()
            prediction = model(x)
            loss = nn.functional.mse_loss(prediction, y)
            loss.backward()
            optimizer.step()
            del prediction
        print(fold, f"{loss.item():.5f}")
        kept = weakref.ref(model)
        # room for the next one
        del model, optimizer
        assert kept() is None


def distill(loader):
    teacher = nn.Linear(3, 1).eval()
    student = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    for x, _ in loader:
        with torch.no_grad():
            wanted = teacher(x)
        loss = nn.functional.mse_loss(student(x), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    kept = weakref.ref(student)
    student = None
    assert kept() is None
    print(f"{loss.item():.5f}")


cross_validate()
distill(folds[0])
