"""Long and broken lines stay readable, and a view that is picked by its number is no input more."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 4)

    def forward(self, views, temperature, first_coefficient):
        return self.body(views) * temperature * first_coefficient


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, teacher, student, criterion):
        super().__init__()
        self.teacher = teacher
        self.student = student
        self.criterion = criterion

    def forward(
        self, views, temperature, first_coefficient, second_coefficient, third_coefficient
    ):
        guide = self.teacher(views[0], temperature, first_coefficient)
        others = [self.student(view, temperature, second_coefficient) for view in views[1:]]
        return third_coefficient * self.criterion(F.log_softmax(self.student(torch.cat(views), temperature,
                                                                             first_coefficient), dim=1),
                                                  F.softmax(torch.cat([guide, *others]), dim=1))


def train(student, teacher, criterion, loader, optimizer):
    student_with_loss = ort_module(ModuleWithLoss, teacher, student, criterion)
    for views, temperature, first_coefficient, second_coefficient, third_coefficient in loader:
        optimizer.zero_grad()
        # Forward pass
        # Divergence from what the teacher sees
        loss = student_with_loss(
            views, temperature, first_coefficient, second_coefficient, third_coefficient
        )
        loss.backward()
        optimizer.step()
        print(loss.item())


student, teacher = Student(), Student()
loader = [([torch.randn(3, 6), torch.randn(3, 6)], 0.5, 1.5, 2.0, 0.1) for _ in range(4)]
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
train(student, teacher, nn.KLDivLoss(reduction="batchmean"), loader, optimizer)
