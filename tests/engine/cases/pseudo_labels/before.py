"""Half-supervised: confident predictions on weak views are the labels of the strong ones."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F


def train(args, labelled, unlabelled, model, optimizer):
    for (inputs_x, targets_x), (weak, strong) in zip(labelled, unlabelled):
        batch_size = inputs_x.shape[0]
        inputs = torch.cat((inputs_x, weak, strong))
        logits = model(inputs)
        logits_x = logits[:batch_size]
        logits_weak, logits_strong = logits[batch_size:].chunk(2)
        del logits
        Lx = F.cross_entropy(logits_x, targets_x)
        guessed = torch.softmax(logits_weak.detach() / args.T, dim=-1)
        confidence, targets_u = torch.max(guessed, dim=-1)
        mask = confidence.ge(args.threshold).float()
        Lu = (F.cross_entropy(logits_strong, targets_u, reduction="none") * mask).mean()
        loss = Lx + args.lambda_u * Lu
        loss.backward()
        optimizer.step()
        model.zero_grad()
        print(f"{loss.item():.5f} {Lx.item():.5f} {Lu.item():.5f} {mask.mean().item():.3f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--T", type=float, default=0.5)
    parser.add_argument("--threshold", type=float, default=0.4)
    parser.add_argument("--lambda-u", type=float, default=1.0)
    args = parser.parse_args([])
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    labelled = [(torch.randn(3, 6), torch.randint(0, 3, (3,))) for _ in range(4)]
    unlabelled = [(torch.randn(5, 6), torch.randn(5, 6)) for _ in range(4)]
    train(args, labelled, unlabelled, model, optimizer)


if __name__ == "__main__":
    main()
