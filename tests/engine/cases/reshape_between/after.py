import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
vocabulary, emsize, bptt = 20, 8, 5


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, emsize)
        self.decoder = nn.Linear(emsize, vocabulary)

    def forward(self, tokens):
        return self.decoder(torch.tanh(self.encoder(tokens)))


model = LanguageModel()
criterion = nn.CrossEntropyLoss(ignore_index=0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
corpus = torch.randint(0, vocabulary, (4, 16))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, targets):
        # (batch, time, vocabulary) -> (batch * time, vocabulary)
        output = output.view(-1, vocabulary)
        return self.criterion(output, targets)

    def forward(self, data, targets):
        output = self.model(data)
        return self.compute_loss(output, targets)


def train():
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    model.train()
    total_loss = 0.
    for i in range(0, corpus.size(1) - bptt, bptt):
        data = corpus[:, i:i + bptt]
        targets = corpus[:, i + 1:i + 1 + bptt].reshape(-1)
        loss = model_with_loss(data, targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        total_loss += loss.item()
    return total_loss


for epoch in range(2):
    print(epoch, f"{train():.5f}")
