"""Trap: only recurrent models keep a state, repackaged so that no gradient reaches the step before."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
kind = "LSTM"


class RNNModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(20, 8)
        self.rnn = nn.LSTM(8, 8)
        self.decoder = nn.Linear(8, 20)

    def forward(self, data, hidden):
        output, hidden = self.rnn(self.encoder(data), hidden)
        return self.decoder(output).view(-1, 20), hidden

    def init_hidden(self, size):
        weight = next(self.parameters())
        return weight.new_zeros(1, size, 8), weight.new_zeros(1, size, 8)


def repackage_hidden(h):
    """Wraps hidden states in new tensors, to detach them from their history."""
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


model = RNNModel()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, targets):
        return self.criterion(output, targets)

    def forward(self, hidden, data, targets):
        if kind == "Transformer":
            output = self.model(data)
            output = output.view(-1, 20)
        else:
            hidden = repackage_hidden(hidden)
            output, hidden = self.model(data, hidden)
        loss = self.compute_loss(output, targets)
        return loss, hidden


def train():
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    model.train()
    hidden = None
    if kind != "Transformer":
        hidden = model.init_hidden(4)
    for batch in range(5):
        data, targets = torch.randint(20, (6, 4)), torch.randint(20, (24,))
        model.zero_grad()
        loss, hidden = model_with_loss(hidden, data, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        print(loss.item())


train()
