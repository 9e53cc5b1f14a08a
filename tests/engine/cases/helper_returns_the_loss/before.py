import torch
from torch import nn

torch.manual_seed(0)


def compute_loss(model, batch, criterion):
    """One forward pass"""
    features, labels = batch
    logits = model(features)
    return criterion(logits, labels)


model = nn.Linear(5, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
train_batches = [(torch.randn(4, 5), torch.randint(0, 3, (4,))) for _ in range(3)]

for batch in train_batches:
    loss = compute_loss(model, batch, criterion)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
