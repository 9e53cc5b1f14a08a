import argparse

import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--overlap-weight", type=float, default=0.5)


def overlap(output, mask):
    p = torch.sigmoid(output)
    return 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Conv2d(3, 8, 3, padding=1)
        self.head = nn.Conv2d(8, 1, 1)
        self.auxiliary = nn.Conv2d(8, 1, 1)

    def forward(self, image):
        features = torch.relu(self.encoder(image))
        return self.head(features), self.auxiliary(features)


def main():
    args = parser.parse_args([])
    torch.manual_seed(0)
    model = Segmenter()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    positives = torch.tensor(2.0)
    images = torch.rand(3, 2, 3, 8, 8)
    for epoch in range(args.epochs):
        total = 0.0
        for image in images:
            mask = (image.mean(1, keepdim=True) > 0.5).float()
            out, auxiliary = model(image)

            # The same for both heads.
            def segmentation(output):
                pixels = F.binary_cross_entropy_with_logits(output, mask, pos_weight=positives)
                return pixels + args.overlap_weight * overlap(output, mask)

            loss = segmentation(out) + 0.4 * segmentation(auxiliary)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch}: {total / len(images):.4f}")


main()
