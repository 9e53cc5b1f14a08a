"""Functions inside of the loop run forward and backward, and a method runs the model in one.

What a nested function reads of the method around it is there whenever forward runs the method.
"""

import contextlib

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `train._forward`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, amp_autocast, loss_fn):
        super().__init__()
        self.model = model
        self.amp_autocast = amp_autocast
        self.loss_fn = loss_fn

    def forward(self, input, target):
        with self.amp_autocast():
            output = self.model(input)
            loss = self.loss_fn(output, target)
        return loss


def train(model, loader, optimizer, loss_fn, amp_autocast, second_order=False, accum_steps=2):
    for index, (input, target) in enumerate(loader):
        need_update = (index + 1) % accum_steps == 0

        def _forward():
            model_with_loss = ort_module(ModelWithLoss, model, amp_autocast, loss_fn)
            loss = model_with_loss(input, target)
            if accum_steps > 1:
                loss /= accum_steps
            return loss

        def _backward(loss):
            loss.backward(create_graph=second_order)
            if need_update:
                optimizer.step()
                optimizer.zero_grad()

        if index % 3:
            loss = _forward()
            _backward(loss)
        else:
            loss = _forward()
            _backward(loss)
        print(f"{loss.item():.5f}")


class TrainWithLoss(nn.Module):
    """Forward pass and loss of `Experiment.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, predict, criterion):
        super().__init__()
        self.model = model
        self.predict = predict
        self.criterion = criterion

    def forward(self, x, y):
        outputs, y = self.predict(x, y)
        return self.criterion(outputs, y)


class Experiment:
    def __init__(self, scale):
        self.model = nn.Linear(4, 2)
        self.scale = scale

    def _predict(self, x, y):
        def _run_model():
            return self.model(x) * self.scale

        return _run_model(), y[:, :2]

    def train(self, loader):
        optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        criterion = nn.MSELoss()
        model_with_loss = ort_module(TrainWithLoss, self.model, self._predict, criterion)
        for x, y in loader:
            optimizer.zero_grad()
            loss = model_with_loss(x, y)
            loss.backward()
            optimizer.step()
            print(f"{loss.item():.5f}")


net = nn.Linear(4, 3)
labelled = [(torch.randn(5, 4), torch.randint(0, 3, (5,))) for _ in range(4)]
optimizer = torch.optim.SGD(net.parameters(), 0.1)
train(net, labelled, optimizer, nn.CrossEntropyLoss(), contextlib.nullcontext)
Experiment(2.0).train([(torch.randn(5, 4), torch.randn(5, 3)) for _ in range(3)])
