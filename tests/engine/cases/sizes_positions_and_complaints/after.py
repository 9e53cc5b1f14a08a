"""Sizes as numbers, positions in a loop and a complaint: none of them reads what was computed."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


def safe_ce(logits, labels, num_classes, reduction="mean"):
    if int(logits.shape[1]) != num_classes:
        raise ValueError(f"{logits.shape} {num_classes}")
    return F.cross_entropy(logits.float(), labels, reduction=reduction)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x, return_features=False):
        h = torch.relu(self.body(x))
        return self.head(h), h if return_features else None


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, disc):
        super().__init__()
        self.model = model
        self.disc = disc

    def forward(self, x, t, y):
        logits, feats = self.model(x, return_features=True)
        _, feats_t = self.model(t, return_features=True)
        if feats is None or feats_t is None:
            raise RuntimeError("Model did not return features.")
        cls = safe_ce(logits, y, num_classes=int(logits.shape[1]))
        d = self.disc(feats)
        dom = safe_ce(d, torch.zeros(d.size(0), dtype=torch.long), num_classes=int(d.shape[1]))
        loss = 0.0
        for i, out in enumerate([logits, d]):
            term = out.pow(2).sum() / float(out.size(0))
            if i == 0:
                term = term * 0.6
            loss = loss + 0.01 * term
        loss = loss + cls + 0.5 * dom
        return loss, cls.detach(), dom.detach()


def train():
    torch.manual_seed(0)
    model, disc = Net(), nn.Linear(8, 2)
    opt = torch.optim.SGD([*model.parameters(), *disc.parameters()], lr=0.1)
    model_with_loss = ort_module(ModuleWithLoss, model, disc)
    for step in range(10):
        n = 5 if step % 3 else 7
        x, y, t = torch.randn(n, 6), torch.randint(0, 3, (n,)), torch.randn(4, 6)
        loss, cls, dom = model_with_loss(x, t, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        print(step, round(cls.item(), 3), round(dom.item(), 3))


if __name__ == "__main__":
    train()
