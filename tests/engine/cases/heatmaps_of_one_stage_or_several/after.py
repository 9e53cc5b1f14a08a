"""Pose estimation: a network of several stages gives a list, another one a tensor."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class JointsMSELoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.criterion = nn.MSELoss()

    def forward(self, output, target, target_weight):
        batch_size, num_joints = output.size(0), output.size(1)
        heatmaps_pred = output.reshape((batch_size, num_joints, -1)).split(1, 1)
        heatmaps_gt = target.reshape((batch_size, num_joints, -1)).split(1, 1)
        loss = 0
        for idx in range(num_joints):
            heatmap_pred = heatmaps_pred[idx].squeeze()
            heatmap_gt = heatmaps_gt[idx].squeeze()
            loss += 0.5 * self.criterion(
                heatmap_pred.mul(target_weight[:, idx]), heatmap_gt.mul(target_weight[:, idx])
            )
        return loss / num_joints


class PoseNet(nn.Module):
    def __init__(self, stages):
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3, padding=1)
        self.heads = nn.ModuleList(nn.Conv2d(4, 2, 1) for _ in range(stages))

    def forward(self, x):
        features = torch.relu(self.body(x))
        outputs = [head(features) for head in self.heads]
        return outputs if len(outputs) > 1 else outputs[0]


def accuracy(output, target):
    heights = output.reshape(*output.shape[:2], -1), target.reshape(*target.shape[:2], -1)
    return (heights[0].argmax(-1) == heights[1].argmax(-1)).float().mean().item()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, input, target, target_weight):
        # compute output
        outputs = self.model(input)
        if isinstance(outputs, list):
            loss = self.criterion(outputs[0], target, target_weight)
            for output in outputs[1:]:
                loss += self.criterion(output, target, target_weight)
        else:
            output = outputs
            loss = self.criterion(output, target, target_weight)
        return loss, output.detach()


def train(train_loader, model, criterion, optimizer, epoch):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    model.train()
    for i, (input, target, target_weight) in enumerate(train_loader):
        target = target.to(torch.float32)
        target_weight = target_weight.to(torch.float32)

        loss, output = model_with_loss(input, target, target_weight)

        # compute gradient and do update step
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        # measure accuracy and record loss
        avg_acc = accuracy(output.detach(), target.detach())
        print(f"epoch {epoch} [{i}] loss {loss.item():.4f} accuracy {avg_acc:.2f}")


torch.manual_seed(0)
data = [
    (torch.randn(4, 3, 6, 6), torch.rand(4, 2, 6, 6), torch.ones(4, 2, 1)) for _ in range(3)
]
for stages in (1, 3):
    net = PoseNet(stages)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(2):
        train(data, net, JointsMSELoss(), optimizer, epoch)
