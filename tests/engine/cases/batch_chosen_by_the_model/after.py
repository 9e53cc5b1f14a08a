"""The model picks the senses of the words that it then learns from: no gradient goes through that."""

import torch
from torch import nn
from torch.autograd import Variable
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class SenseModel(nn.Module):
    def __init__(self, words, senses):
        super().__init__()
        self.senses = nn.Embedding(words * senses, 4)
        self.context = nn.Embedding(words, 4)
        self.per_word = senses
        self.seen = 0

    def context_features(self, words):
        return self.context(words).mean(dim=1)

    def forward(self, data):
        score = (self.senses(data[:, -1]) * self.context_features(data[:, :-1])).sum(dim=1)
        return -nn.functional.logsigmoid(score).mean()


def pick(chunk, features, senses, per_word):
    picked = []
    for row, feature in zip(chunk, features):
        first = row[-1] * per_word
        scores = [float(feature @ senses[first + k]) for k in range(per_word)]
        picked.append([*row[:-1], first + max(range(per_word), key=scores.__getitem__)])
    return picked


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, data):
        return self.model(data)


model = SenseModel(words=6, senses=2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
model_with_loss = ort_module(ModuleWithLoss, model)
for step in range(4):
    chunk = torch.randint(0, 6, (5, 4)).tolist()
    words = Variable(torch.LongTensor(chunk))
    features = model.context_features(words[:, :-1])
    chunk = pick(chunk, features.detach(), model.senses.weight.detach(), model.per_word)
    model.seen += len(chunk)
    data = Variable(torch.LongTensor(chunk))

    optimizer.zero_grad()
    loss = model_with_loss(data)
    loss.backward()
    optimizer.step()
    print('%.5f %d' % (loss.item(), model.seen))
