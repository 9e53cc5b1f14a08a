"""NumPy picks the labels, and computes a weight, between the brackets of the call of the loss."""

import numpy as np
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
random = np.random.RandomState(0)


class Encoder(nn.Module):
    def __init__(self, features, classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, 16), nn.ReLU(), nn.Linear(16, classes))
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, nodes):
        return self.layers(nodes)

    def loss(self, nodes, labels):
        return self.criterion(self.forward(nodes), labels.squeeze())


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, features, labels, exp_value):
        return self.model.loss(features, labels) * exp_value


def train(epochs):
    features = torch.randn(30, 6)
    labels = random.randint(0, 3, (30, 1))
    model = Encoder(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    model_with_loss = ort_module(ModuleWithLoss, model)
    for epoch in range(epochs):
        nodes = random.permutation(30)[:12].tolist()
        loss = model_with_loss(
            features[nodes], torch.LongTensor(labels[np.array(nodes)]), np.exp(-0.1 * epoch)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{epoch}: {loss.item():.4f}")


train(5)
