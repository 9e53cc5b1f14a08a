import torch
import torch.nn.functional as F
from torch import nn, optim
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def cal_performance(pred, gold):
    """Loss and number of right words, without padding"""
    loss = F.cross_entropy(pred, gold, ignore_index=0, reduction='sum')
    correct = pred.argmax(1).eq(gold) & gold.ne(0)
    return loss, correct.sum()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train_epoch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, src_seq, gold):
        pred = self.model(src_seq)
        loss, n_correct = cal_performance(pred, gold)
        return loss, n_correct


def train_epoch(model, training_data, optimizer):
    model_with_loss = ort_module(ModuleWithLoss, model)
    total_loss, n_word_total, n_word_correct = 0, 0, 0
    for src_seq, gold in training_data:
        optimizer.zero_grad()
        # backward and update parameters
        loss, n_correct = model_with_loss(src_seq, gold)
        loss.backward()
        optimizer.step()
        # note keeping
        n_word_total += gold.ne(0).sum().item()
        n_word_correct += n_correct.item()
        total_loss += loss.item()
    return total_loss / n_word_total, n_word_correct / n_word_total


transformer = nn.Sequential(nn.Embedding(12, 6), nn.Linear(6, 12))
data = [(torch.randint(0, 12, (9,)), torch.randint(0, 12, (9,))) for _ in range(3)]
adam = optim.Adam(transformer.parameters(), lr=0.01)
for _ in range(2):
    print("loss %.5f accuracy %.5f" % train_epoch(transformer, data, adam))
