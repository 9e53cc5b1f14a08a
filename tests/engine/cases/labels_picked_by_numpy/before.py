"""NumPy picks the labels, and computes a weight, between the brackets of the call of the loss."""

import numpy as np
import torch
from torch import nn

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


def train(epochs):
    features = torch.randn(30, 6)
    labels = random.randint(0, 3, (30, 1))
    model = Encoder(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for epoch in range(epochs):
        nodes = random.permutation(30)[:12].tolist()
        loss = model.loss(features[nodes], torch.LongTensor(labels[np.array(nodes)])) * np.exp(-0.1 * epoch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{epoch}: {loss.item():.4f}")


train(5)
