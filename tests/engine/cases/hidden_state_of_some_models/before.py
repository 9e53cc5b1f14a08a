"""Trap: only recurrent models keep a state, repackaged so that no gradient reaches the step before."""

import torch
from torch import nn

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


def train():
    model.train()
    if kind != "Transformer":
        hidden = model.init_hidden(4)
    for batch in range(5):
        data, targets = torch.randint(20, (6, 4)), torch.randint(20, (24,))
        model.zero_grad()
        if kind == "Transformer":
            output = model(data)
            output = output.view(-1, 20)
        else:
            hidden = repackage_hidden(hidden)
            output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        print(loss.item())


train()
