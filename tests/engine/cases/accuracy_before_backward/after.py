import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(3)


def accuracy(output, target):
    """Share of right answers, in percent"""
    with torch.no_grad():
        return (output.argmax(dim=1) == target).float().mean() * 100


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, target):
        return self.criterion(output, target)

    def forward(self, images, target):
        output = self.model(images)
        loss = self.compute_loss(output, target)
        return loss, output.detach()


def train(train_loader, model, criterion, optimizer, epoch):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    # switch to train mode
    model.train()

    for i, (images, target) in enumerate(train_loader):
        # compute output
        loss, output = model_with_loss(images, target)

        # measure accuracy and record loss
        acc1 = accuracy(output, target)
        print(f"epoch {epoch} batch {i} loss {loss.item():.5f} acc {acc1.item():.2f}")

        # compute gradient and do SGD step
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def main():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    loader = [(torch.randn(5, 3, 2, 2), torch.randint(0, 4, (5,))) for _ in range(2)]
    for epoch in range(2):
        train(loader, model, criterion, optimizer, epoch)


if __name__ == "__main__":
    main()
