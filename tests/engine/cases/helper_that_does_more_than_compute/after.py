import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.compute_loss`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, outputs, y):
        return self.criterion(outputs, y)

    def forward(self, x, y):
        outputs = self.model(x.float() / 255)
        loss = self.compute_loss(outputs, y)
        return loss, outputs.detach()


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr, momentum=0.9)
        self.seen = 0

    def compute_loss(self, batch, train):
        """The loss of one batch, and how many of it are right."""
        model_with_loss = ort_module(ModuleWithLoss, self.model, self.criterion)
        self.model.train(train)
        x, y = batch
        self.seen += len(x)
        print('seen', self.seen)

        loss, outputs = model_with_loss(x, y)
        correct = (outputs.argmax(1) == y).sum().item()
        return loss, correct

    def train_epoch(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            loss, correct = self.compute_loss(batch, True)
            loss.backward()
            self.optimizer.step()
            print('%.4f %d' % (loss.item(), correct))

    @torch.no_grad()
    def evaluate(self, batches):
        for batch in batches:
            loss, correct = self.compute_loss(batch, False)
            print('val %.4f %d' % (loss.item(), correct))


model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
trainer = Trainer(model, lr=0.1)
batches = [(torch.randint(0, 256, (5, 6)), torch.randint(0, 3, (5,))) for _ in range(2)]
for epoch in range(2):
    trainer.train_epoch(batches)
    trainer.evaluate(batches[:1])
