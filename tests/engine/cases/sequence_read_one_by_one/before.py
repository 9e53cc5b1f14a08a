"""Trap: the loop inside of the slice runs as often as the word is long, each word another number."""

import torch
import torch.nn.functional as F
from torch import nn

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


def train(category, line):
    hidden = torch.zeros(1, 8)
    for i in range(line.size()[0]):
        output, hidden = rnn(line[i], hidden)
    loss = criterion(output, category)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return output, loss.item()


for length in (3, 4, 3, 5, 4):
    word = torch.randn(length, 1, 5)
    guess, value = train(torch.randint(3, (1,)), word)
    print(guess.argmax(1).item(), value)
