import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(10, 12)
        self.box = nn.Linear(12, 4)
        self.cls = nn.Linear(12, 3)

    def forward(self, x):
        h = torch.relu(self.trunk(x))
        return self.box(h), self.cls(h)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image, boxes, classes):
        pred_boxes, pred_classes = self.net(image)
        box_loss = F.mse_loss(pred_boxes, boxes)
        cls_loss = F.cross_entropy(pred_classes, classes)
        loss = cls_loss + lambda_box * box_loss
        return loss, box_loss.detach(), cls_loss.detach()


net = Detector()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
lambda_box = 0.5
data = [(torch.randn(6, 10), torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(3)]

net_with_loss = ort_module(ModuleWithLoss, net)
for step, (image, boxes, classes) in enumerate(data):
    # total loss is the weighted sum
    loss, box_loss, cls_loss = net_with_loss(image, boxes, classes)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step {step}: loss {loss.item():.5f} (box {box_loss.item():.5f}, cls {cls_loss.item():.5f})")
