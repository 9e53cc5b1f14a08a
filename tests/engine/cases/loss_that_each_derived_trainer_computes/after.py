"""The base class keeps the model and trains it; each class derived from it computes its own loss."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


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


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `Classifier.compute_loss`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


class Classifier(BaseTrainer):
    def __init__(self, *args, smoothing=0.1, **kwargs):
        super().__init__(*args, **kwargs)
        self.criterion = nn.CrossEntropyLoss(label_smoothing=smoothing)

    def compute_loss(self, batch):
        model_with_loss = ort_module(ModelWithLoss, self.model, self.criterion)
        x, y = batch
        return model_with_loss(x, y)


class AutoencoderWithLoss(nn.Module):
    """Forward pass and loss of `Autoencoder.compute_loss`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return F.mse_loss(self.model(x), x)


class Autoencoder(BaseTrainer):
    def compute_loss(self, batch):
        model_with_loss = ort_module(AutoencoderWithLoss, self.model)
        x, _ = batch
        return model_with_loss(x)


torch.manual_seed(0)
batches = [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(4)]
Classifier(nn.Linear(4, 3), lr=0.1).fit(batches)
Autoencoder(nn.Linear(4, 4), lr=0.1).fit(batches)
