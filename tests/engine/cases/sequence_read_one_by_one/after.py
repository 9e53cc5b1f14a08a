"""Trap: the loop inside of the slice runs as often as the word is long, each word another number."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class RNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.Linear(5 + 8, 8)
        self.out = nn.Linear(8, 3)

    def forward(self, letter, hidden):
        hidden = torch.tanh(self.cell(torch.cat((letter, hidden), 1)))
        return F.log_softmax(self.out(hidden), dim=1), hidden


rnn = RNN()
criterion = nn.NLLLoss()
optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, rnn, criterion):
        super().__init__()
        self.rnn = rnn
        self.criterion = criterion

    def compute_loss(self, output, category):
        return self.criterion(output, category)

    def forward(self, hidden, line_size_0, line, category):
        for i in range(line_size_0):
            output, hidden = self.rnn(line[i], hidden)
        loss = self.compute_loss(output, category)
        return loss, output.detach()


def train(category, line):
    rnn_with_loss = ort_module(ModuleWithLoss, rnn, criterion)
    hidden = torch.zeros(1, 8)
    loss, output = rnn_with_loss(hidden, line.size()[0], line, category)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return output, loss.item()


for length in (3, 4, 3, 5, 4):
    word = torch.randn(length, 1, 5)
    guess, value = train(torch.randint(3, (1,)), word)
    print(guess.argmax(1).item(), value)
