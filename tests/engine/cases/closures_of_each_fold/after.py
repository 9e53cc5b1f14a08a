"""A regression for each fold, by LBFGS: its closure is defined anew in each epoch."""
import torch
import torch.nn as nn
import torch.optim as optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Aligner(nn.Module):
    def __init__(self, width, out):
        super().__init__()
        self.linear = nn.Linear(width, out)

    def forward(self, x):
        return self.linear(x)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main.closure`, exported to ONNX Runtime as one graph."""

    def __init__(self, aligner, criterion):
        super().__init__()
        self.aligner = aligner
        self.criterion = criterion

    def forward(self, x_train, y_train, l2_lambda, l1_lambda):
        loss = self.criterion(self.aligner(x_train), y_train)
        reg_loss = 0
        for param in self.aligner.parameters():
            reg_loss += 0.5 * l2_lambda * torch.sum(param ** 2)
            reg_loss += l1_lambda * torch.sum(torch.sqrt(param ** 2 + 1e-6))
        loss += reg_loss
        return loss


def main(folds=2, epochs=2):
    x, y = torch.randn(12, 5), torch.randn(12, 3)
    l2_lambda, l1_lambda = 1e-2, 1e-3
    criterion = nn.MSELoss()
    for fold in range(folds):
        kept = torch.arange(12) % folds != fold
        x_train, y_train = x[kept], y[kept]
        aligner = Aligner(5, 3)
        optimizer = optim.LBFGS(aligner.parameters(), lr=0.5, max_iter=3)
        aligner_with_loss = ort_module(ModuleWithLoss, aligner, criterion)
        for epoch in range(epochs):
            aligner.train()
            def closure():
                optimizer.zero_grad()
                loss = aligner_with_loss(x_train, y_train, l2_lambda, l1_lambda)
                loss.backward()
                return loss

            train_loss = optimizer.step(closure)

            aligner.eval()
            with torch.no_grad():
                val_loss = criterion(aligner(x[~kept]), y[~kept])
            print(f"{fold} {epoch} {train_loss.item():.4f} {val_loss.item():.4f}")


if __name__ == "__main__":
    main()
