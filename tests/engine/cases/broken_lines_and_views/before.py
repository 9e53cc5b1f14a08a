"""Long and broken lines stay readable, and a view that is picked by its number is no input more."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 4)

    def forward(self, views, temperature, first_coefficient):
        return self.body(views) * temperature * first_coefficient


def train(student, teacher, criterion, loader, optimizer):
    for views, temperature, first_coefficient, second_coefficient, third_coefficient in loader:
        optimizer.zero_grad()
        # Forward pass
        guide = teacher(views[0], temperature, first_coefficient)

        others = [student(view, temperature, second_coefficient) for view in views[1:]]

        # Divergence from what the teacher sees
        loss = third_coefficient * criterion(F.log_softmax(student(torch.cat(views), temperature,
                                                                   first_coefficient), dim=1),
                                             F.softmax(torch.cat([guide, *others]), dim=1))
        loss.backward()
        optimizer.step()
        print(loss.item())


student, teacher = Student(), Student()
loader = [([torch.randn(3, 6), torch.randn(3, 6)], 0.5, 1.5, 2.0, 0.1) for _ in range(4)]
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
train(student, teacher, nn.KLDivLoss(reduction="batchmean"), loader, optimizer)
