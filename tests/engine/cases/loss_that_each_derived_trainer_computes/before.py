"""The base class keeps the model and trains it; each class derived from it computes its own loss."""

import torch
import torch.nn.functional as F
from torch import nn


class BaseTrainer:
    def __init__(self, model, lr):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    def compute_loss(self, batch):
        raise NotImplementedError

    def fit(self, batches):
        for batch in batches:
            loss = self.compute_loss(batch)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.5f}")


class Classifier(BaseTrainer):
    def __init__(self, *args, smoothing=0.1, **kwargs):
        super().__init__(*args, **kwargs)
        self.criterion = nn.CrossEntropyLoss(label_smoothing=smoothing)

    def compute_loss(self, batch):
        x, y = batch
        return self.criterion(self.model(x), y)


class Autoencoder(BaseTrainer):
    def compute_loss(self, batch):
        x, _ = batch
        return F.mse_loss(self.model(x), x)


torch.manual_seed(0)
batches = [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(4)]
Classifier(nn.Linear(4, 3), lr=0.1).fit(batches)
Autoencoder(nn.Linear(4, 4), lr=0.1).fit(batches)
