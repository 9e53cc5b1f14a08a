"""Trap: an item of the batch is named after the model that made it, and is moved to the device."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class TopicModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.sentences = nn.Linear(6, 4), nn.Linear(5, 4)
        self.topics = nn.Linear(4, 6)

    def forward(self, words, sentences):
        return self.topics(torch.tanh(self.words(words) + self.sentences(sentences)))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Topics.train_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, reconstruction):
        super().__init__()
        self.model = model
        self.reconstruction = reconstruction

    def compute_loss(self, x, outputs):
        return self.reconstruction(x, outputs)

    def forward(self, x, x_bert):
        outputs = self.model(x, x_bert)
        return self.compute_loss(x, outputs)


class Topics:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        self.use_cuda = torch.cuda.is_available()

    def reconstruction(self, words, outputs):
        return -(words * outputs.log_softmax(dim=1)).sum()

    def train_epoch(self, batches):
        model_with_loss = ort_module(ModuleWithLoss, self.model, self.reconstruction)
        total = 0.0
        for batch in batches:
            x = batch["x"]
            x_bert = batch["x_bert"]
            if self.use_cuda:
                x = x.cuda()
                x_bert = x_bert.cuda()
            self.optimizer.zero_grad()
            loss = model_with_loss(x, x_bert)
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total


batches = [{"x": torch.rand(8, 6), "x_bert": torch.randn(8, 5)} for _ in range(3)]
topics = Topics(TopicModel())
for epoch in range(2):
    print(epoch, topics.train_epoch(batches))
