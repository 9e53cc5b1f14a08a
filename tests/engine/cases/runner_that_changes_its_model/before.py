"""The model belongs to an object that was handed in, and a method of that replaces it."""

import torch
from runners import Runner

torch.manual_seed(0)


def train(runner, batches):
    runner.model.train()
    for index, (x, y) in enumerate(batches):
        runner.optimizer.zero_grad()
        scores = runner.model(x)
        loss = runner.criterion(scores, y)
        loss.backward()
        runner.optimizer.step()
        runner.correct += (scores.argmax(1) == y).sum().item()
        print(f"{loss.item():.5f}", runner.correct)
        runner.end_round(index)


train(Runner(), [(torch.randn(8, 6), torch.randint(3, (8,))) for _ in range(6)])
