"""A method cuts the labels by a length of the batch; its names mean other things in the step."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 8)
        self.tags = nn.Linear(8, 4)

    def forward(self, words):
        return self.tags(self.embedding(words))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Trainer.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, labels_2_size, labels_2, weight_2):
        logits_2 = logits[:, : labels_2_size]
        loss = F.cross_entropy(
            logits_2.reshape(-1, 4),
            labels_2.reshape(-1),
            label_smoothing=0.1,
        )
        return 2 * (loss + weight_2 * logits_2.pow(2).mean())

    def forward(self, words, labels_2_size, labels_2, weight_2):
        logits = self.model(words)
        loss = self.compute_loss(logits, labels_2_size, labels_2, weight_2)
        return loss, logits.detach()


class Trainer:
    def __init__(self):
        self.model = Tagger()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.period = 6

    def masked_loss(self, logits, labels, lengths, step, smoothing=0.1):
        weight = 0.5 * (1 + math.cos(math.pi * step / self.period))
        labels = labels[:, : int(lengths.max())]  # up to the longest sentence
        logits = logits[:, : labels.size(1)]
        loss = F.cross_entropy(
            logits.reshape(-1, 4),
            labels.reshape(-1),
            label_smoothing=smoothing,
        )
        return loss + weight * logits.pow(2).mean()

    def train(self):
        model_with_loss = ort_module(ModuleWithLoss, self.model)
        weight = 1.0
        for step in range(6):
            words = torch.randint(0, 10, (3, 8))
            labels, lengths = words % 4, torch.tensor([5, 7 - step % 2, 2])
            weight_2 = 0.5 * (1 + math.cos(math.pi * step / self.period))
            labels_2 = labels[:, : int(lengths.max())]
            loss, logits = model_with_loss(words, labels_2.size(1), labels_2, weight_2)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            weight *= 0.9
            hits = (logits.argmax(-1) == labels).sum().item()
            print(f"{step} {loss.item():.4f} {weight:.3f} {hits}")


if __name__ == "__main__":
    Trainer().train()
