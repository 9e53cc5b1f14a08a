"""A sequence read in pieces: a function of another file updates, and keeps the graph for nobody."""

import torch
import updating
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRU(3, 4, batch_first=True)
        self.head = nn.Linear(4, 1)

    def forward(self, piece, state):
        seen, state = self.cell(piece, state)
        return self.head(seen), state


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, reader):
        super().__init__()
        self.reader = reader

    def compute_loss(self, output, piece):
        return (output - piece.sum(dim=2, keepdim=True)).pow(2).mean()

    def forward(self, piece, state):
        output, state = self.reader(piece, state)
        loss = self.compute_loss(output, piece)
        return loss, state


reader = Reader()
optimizer = torch.optim.SGD(reader.parameters(), lr=0.1)
state = torch.zeros(1, 2, 4)
reader_with_loss = ort_module(ModuleWithLoss, reader)
for piece in torch.randn(4, 2, 5, 3):
    loss, state = reader_with_loss(piece, state)
    value = updating.descend(loss, optimizer)
    print("%.5f" % value)
    state = state.detach()
