import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, outputs, labels):
        return self.criterion(outputs, labels)

    def forward(self, images, labels):
        outputs = self.model(images)
        return self.compute_loss(outputs, labels)


def main():
    torch.manual_seed(0)
    num_epochs = 2
    dataset = TensorDataset(torch.randn(20, 6), torch.randint(0, 3, (20,)))
    train_loader = DataLoader(dataset, batch_size=8, shuffle=True)  # the last batch is smaller

    model = nn.Sequential(nn.Linear(6, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Linear(10, 3))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)

    total_step = len(train_loader)
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    for epoch in range(num_epochs):
        for i, (images, labels) in enumerate(train_loader):
            loss = model_with_loss(images, labels)

            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

            print(f'Epoch [{epoch + 1}/{num_epochs}], Step [{i + 1}/{total_step}], Loss: {loss.item():.5f}')
        scheduler.step()

    model.eval()
    with torch.no_grad():
        outputs = model(dataset.tensors[0])
        print('Accuracy', (outputs.argmax(1) == dataset.tensors[1]).float().mean().item())


if __name__ == '__main__':
    main()
