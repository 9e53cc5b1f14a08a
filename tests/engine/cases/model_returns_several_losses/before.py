"""As torchvision's detection models do."""
import torch
from torch import nn

torch.manual_seed(0)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.box, self.cls = nn.Linear(6, 6), nn.Linear(6, 4), nn.Linear(6, 2)

    def forward(self, images, targets):
        h = torch.relu(self.body(images))
        return {
            "loss_classifier": nn.functional.cross_entropy(self.cls(h), targets["labels"]),
            "loss_box_reg": nn.functional.smooth_l1_loss(self.box(h), targets["boxes"]),
        }


def train_one_epoch(model, optimizer, data_loader):
    model.train()
    for images, targets in data_loader:
        loss_dict = model(images, targets)
        losses = sum(loss for loss in loss_dict.values())
        optimizer.zero_grad()
        losses.backward()
        optimizer.step()
        print(f"{losses.item():.5f}", {k: round(v.item(), 5) for k, v in loss_dict.items()})


detector = Detector()
loader = [
    (torch.randn(3, 6), {"boxes": torch.rand(3, 4), "labels": torch.randint(0, 2, (3,))})
    for _ in range(3)
]
train_one_epoch(detector, torch.optim.SGD(detector.parameters(), lr=0.1), loader)
