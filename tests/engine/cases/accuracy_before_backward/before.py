import torch
from torch import nn

torch.manual_seed(3)


def accuracy(output, target):
    """Share of right answers, in percent"""
    with torch.no_grad():
        return (output.argmax(dim=1) == target).float().mean() * 100


def train(train_loader, model, criterion, optimizer, epoch):
    # switch to train mode
    model.train()

    for i, (images, target) in enumerate(train_loader):
        # compute output
        output = model(images)
        loss = criterion(output, target)

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
