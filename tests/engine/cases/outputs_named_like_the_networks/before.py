"""Distillation in functions that are given everything: only names tell what is a network."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def distill_step(student, teacher, x, y, optimizer, temperature=2.0):
    out_student = student(x)
    with torch.no_grad():
        out_teacher = teacher(x)
    assert out_student.shape == out_teacher.shape
    soft = F.kl_div(
        F.log_softmax(out_student / temperature, dim=1),
        F.softmax(out_teacher / temperature, dim=1),
        reduction="batchmean",
    )
    loss = soft + F.cross_entropy(out_student, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), (out_student.argmax(1) == out_teacher.argmax(1)).sum().item()


def autoencoder_step(model, x, optimizer):
    z_encoder = model.encode(x)
    x_decoder = model.decode(z_encoder)
    loss = F.mse_loss(x_decoder, x)
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
