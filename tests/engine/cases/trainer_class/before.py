import torch
import torch.nn as nn

torch.manual_seed(0)


class Trainer:
    """Trains and evaluates"""

    def __init__(self, model, train_loader, lr=0.1):
        self.model = model
        self.train_loader = train_loader
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr)

    def train_one_epoch(self, epoch):
        self.model.train()
        for x, y in self.train_loader:
            self.optimizer.zero_grad()
            logits = self.model(x)
            loss = self.criterion(logits, y)
            loss.backward()
            self.optimizer.step()
            correct = (logits.argmax(1) == y).sum().item()
            print(f"epoch {epoch} loss {loss.item():.5f} correct {correct}")

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        return sum(self.criterion(self.model(x), y).item() for x, y in self.train_loader)

    def fit(self, epochs):
        for epoch in range(epochs):
            self.train_one_epoch(epoch)
            print(f"{self.evaluate():.5f}")


if __name__ == "__main__":
    loader = [(torch.randn(4, 6), torch.randint(0, 3, (4,))) for _ in range(2)]
    trainer = Trainer(nn.Linear(6, 3), loader)
    trainer.fit(2)
