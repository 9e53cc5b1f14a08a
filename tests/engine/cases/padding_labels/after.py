"""Cross entropy that ignores padding, in its functional form"""
import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
PAD = 0


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.out = nn.Embedding(14, 6), nn.Linear(6, 14)

    def forward(self, tokens):
        return self.out(torch.relu(self.embed(tokens)))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.cross_entropy = nn.CrossEntropyLoss(ignore_index=PAD)

    def compute_loss(self, logits, target):
        return self.cross_entropy(logits.reshape(-1, 14), target.reshape(-1))

    def forward(self, source, target):
        logits = self.model(source)
        return self.compute_loss(logits, target)


def train(model, optimizer, pairs):
    model_with_loss = ort_module(ModuleWithLoss, model)
    model.train()
    for source, target in pairs:
        loss = model_with_loss(source, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


translator = Translator()
adam = torch.optim.Adam(translator.parameters(), lr=0.01)
train(translator, adam, [(torch.randint(1, 14, (3, 5)), torch.randint(0, 14, (3, 5))) for _ in range(3)])
