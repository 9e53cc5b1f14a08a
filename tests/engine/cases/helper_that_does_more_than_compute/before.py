import torch
import torch.nn as nn

torch.manual_seed(0)


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr, momentum=0.9)
        self.seen = 0

    def compute_loss(self, batch, train):
        """The loss of one batch, and how many of it are right."""
        self.model.train(train)
        x, y = batch
        self.seen += len(x)
        print('seen', self.seen)

        outputs = self.model(x.float() / 255)
        loss = self.criterion(outputs, y)
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
