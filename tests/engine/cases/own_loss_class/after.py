import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class DiceLoss(nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, masks):
        probs = torch.sigmoid(logits)
        intersection = (probs * masks).sum()
        return 1 - (2 * intersection + self.smooth) / (probs.sum() + masks.sum() + self.smooth)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, net, bce, dice):
        super().__init__()
        self.net = net
        self.bce = bce
        self.dice = dice

    def compute_loss(self, masks_pred, true_masks):
        return self.bce(masks_pred, true_masks) + self.dice(masks_pred, true_masks)

    def forward(self, images, true_masks):
        masks_pred = self.net(images)
        return self.compute_loss(masks_pred, true_masks)


net = nn.Conv2d(1, 1, 3, padding=1)
bce = nn.BCEWithLogitsLoss()
dice = DiceLoss(smooth=0.5)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
loader = [(torch.randn(2, 1, 6, 6), torch.randint(0, 2, (2, 1, 6, 6)).float()) for _ in range(3)]

net_with_loss = ort_module(ModuleWithLoss, net, bce, dice)
for images, true_masks in loader:
    loss = net_with_loss(images, true_masks)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
