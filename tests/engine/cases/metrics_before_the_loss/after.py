"""The target is reshaped behind the model call and metrics follow, all of it before the loss.

A helper of the file makes a one-hot vector by numpy: that is done before the call.
"""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def to_categorical(y, num_classes):
    return torch.eye(num_classes)[y.cpu().data.numpy(),]


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 4)

    def forward(self, points, category):
        return self.body(torch.cat([points, category], 1))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, classifier, criterion):
        super().__init__()
        self.classifier = classifier
        self.criterion = criterion

    def forward(self, points, categorical, target):
        seg_pred = self.classifier(points, categorical)
        seg_pred = seg_pred.contiguous().view(-1, 4)
        loss = self.criterion(seg_pred, target)
        return loss, seg_pred.detach()


classifier = Segmenter()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(classifier.parameters(), lr=0.1)
mean_correct = []
classifier_with_loss = ort_module(ModuleWithLoss, classifier, criterion)
for i in range(4):
    points, label, target = torch.randn(6, 3), torch.randint(2, (6,)), torch.randint(4, (6, 1))
    optimizer.zero_grad()
    target = target.view(-1, 1)[:, 0]
    loss, seg_pred = classifier_with_loss(points, to_categorical(label, 2), target)
    pred_choice = seg_pred.data.max(1)[1]

    correct = pred_choice.eq(target.data).cpu().sum()
    mean_correct.append(correct.item() / 6)
    loss.backward()
    optimizer.step()
    print(loss.item(), mean_correct[-1])
