"""The loss function cuts the targets to the longest length and anneals a weight with NumPy."""

import argparse

import numpy as np
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Autoencoder(nn.Module):
    def __init__(self, words, size):
        super().__init__()
        self.embedding = nn.Embedding(words, size)
        self.mean = nn.Linear(size, size)
        self.logv = nn.Linear(size, size)
        self.words = nn.Linear(2 * size, words)

    def forward(self, tokens):
        embedded = self.embedding(tokens)
        mean, logv = self.mean(embedded.mean(dim=1)), self.logv(embedded.mean(dim=1))
        around = mean.unsqueeze(1).expand_as(embedded)
        return torch.log_softmax(self.words(torch.cat([embedded, around], dim=-1)), -1), mean, logv


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, nll):
        super().__init__()
        self.model = model
        self.nll = nll

    def forward(self, input, target, kl_weight, tokens_len):
        # Forward pass
        logp, mean, logv = self.model(input)
        logp = logp.view(-1, logp.size(2))
        rec_loss = self.nll(logp, target)
        kl_loss = -0.5 * torch.sum(1 + logv - mean.pow(2) - logv.exp())
        loss = (rec_loss + kl_weight * kl_loss) / tokens_len
        return loss, rec_loss.detach(), kl_loss.detach()


def main(args):
    model = Autoencoder(words=12, size=6)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def weight_at(schedule, step, k, x0):
        if schedule == "logistic":
            return float(1 / (1 + np.exp(-k * (step - x0))))
        return min(1, step / x0)

    nll = nn.NLLLoss(ignore_index=0, reduction="sum")

    def loss_fn(logp, target, length, mean, logv, schedule, step, k, x0):
        """Reconstruction and divergence, with the weight of the latter."""

        # no padding beyond the longest sentence
        target = target[:, :torch.max(length).item()].contiguous().view(-1)
        logp = logp.view(-1, logp.size(2))

        # reconstruction
        rec_loss = nll(logp, target)

        # divergence from the prior
        kl_loss = -0.5 * torch.sum(1 + logv - mean.pow(2) - logv.exp())
        kl_weight = weight_at(schedule, step, k, x0)

        return rec_loss, kl_loss, kl_weight

    step = 0
    model_with_loss = ort_module(ModuleWithLoss, model, nll)
    for epoch in range(2):
        for tokens in torch.randint(1, 12, (4, 5, 7)):
            batch = {"input": tokens[:, :6], "target": tokens, "length": torch.full((5,), 6)}
            for k, v in batch.items():
                batch[k] = v.clone()

            # loss calculation
            target = batch["target"][:, :torch.max(batch["length"]).item()].contiguous().view(-1)
            kl_weight = weight_at(args.schedule, step, args.k, args.x0)
            loss, rec_loss, kl_loss = model_with_loss(
                batch["input"], target, kl_weight, len(tokens)
            )

            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            print(f"{step} {loss.item():.4f} {rec_loss.item():.4f} {kl_loss.item():.4f} {kl_weight:.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--schedule", default="logistic")
    parser.add_argument("--k", type=float, default=0.5)
    parser.add_argument("--x0", type=int, default=4)
    main(parser.parse_args([]))
