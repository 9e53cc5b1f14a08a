"""Distillation in functions that are given everything: only names tell what is a network."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module


class StudentWithLoss(nn.Module):
    """Forward pass and loss of `distill_step`, exported to ONNX Runtime as one graph."""

    def __init__(self, student, teacher):
        super().__init__()
        self.student = student
        self.teacher = teacher

    def compute_loss(self, out_student, temperature, out_teacher, y):
        soft = F.kl_div(
            F.log_softmax(out_student / temperature, dim=1),
            F.softmax(out_teacher / temperature, dim=1),
            reduction="batchmean",
        )
        return soft + F.cross_entropy(out_student, y)

    def forward(self, x, temperature, y):
        out_student = self.student(x)
        with torch.no_grad():
            out_teacher = self.teacher(x)
        loss = self.compute_loss(out_student, temperature, out_teacher, y)
        return loss, out_student.detach(), out_teacher.detach()


def distill_step(student, teacher, x, y, optimizer, temperature=2.0):
    student_with_loss = ort_module(StudentWithLoss, student, teacher)
    loss, out_student, out_teacher = student_with_loss(x, temperature, y)
    assert out_student.shape == out_teacher.shape
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), (out_student.argmax(1) == out_teacher.argmax(1)).sum().item()


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `autoencoder_step`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, x_decoder, x):
        return F.mse_loss(x_decoder, x)

    def forward(self, x):
        z_encoder = self.model.encode(x)
        x_decoder = self.model.decode(z_encoder)
        return self.compute_loss(x_decoder, x)


def autoencoder_step(model, x, optimizer):
    model_with_loss = ort_module(ModelWithLoss, model)
    loss = model_with_loss(x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Linear(6, 3)
        self.up = nn.Linear(3, 6)

    def encode(self, x):
        return torch.tanh(self.down(x))

    def decode(self, z):
        return self.up(z)


def main():
    torch.manual_seed(0)
    small, large, auto = nn.Linear(6, 4), nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4)), AutoEncoder()
    of_small = torch.optim.SGD(small.parameters(), lr=0.1)
    of_auto = torch.optim.SGD(auto.parameters(), lr=0.1)
    steps = {"distill": distill_step, "auto": autoencoder_step}
    for _ in range(3):
        x, y = torch.randn(5, 6), torch.randint(0, 4, (5,))
        loss, agree = steps["distill"](small, large, x, y, of_small)
        print(f"{loss:.5f} {agree} {steps['auto'](auto, x, of_auto):.5f}")


if __name__ == "__main__":
    main()
