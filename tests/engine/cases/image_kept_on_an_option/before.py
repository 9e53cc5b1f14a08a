"""Image translation: an option adds a term, and the images that it makes are kept to be shown.

Without the option the instance has no such images, nor has it them after the rewrite.
"""

import torch
from torch import nn

torch.manual_seed(0)


class Translation:
    def __init__(self, weight):
        self.weight = weight
        self.net_G = nn.Conv2d(1, 1, 3, padding=1)
        self.net_D = nn.Conv2d(2, 1, 3)
        self.criterion_gan = nn.MSELoss()
        self.criterion_idt = nn.L1Loss()
        self.optimizer_G = torch.optim.Adam(self.net_G.parameters(), lr=0.01)

    def set_input(self, real_A, real_B):
        self.real_A = real_A
        self.real_B = real_B

    def forward(self):
        self.fake_B = self.net_G(self.real_A)

    def backward_G(self):
        weight = self.weight
        # Identity loss
        if weight > 0:
            # The generator should leave what is already there.
            self.idt = self.net_G(self.real_B)
            self.loss_idt = self.criterion_idt(self.idt, self.real_B) * weight
        else:
            self.loss_idt = 0

        # Adversarial loss
        predicted = self.net_D(torch.cat((self.real_A, self.fake_B), 1))
        self.loss_gan = self.criterion_gan(predicted, torch.ones_like(predicted))
        self.loss_G = self.loss_gan + self.loss_idt
        self.loss_G.backward()

    def optimize_parameters(self):
        self.forward()
        self.optimizer_G.zero_grad()
        self.backward_G()
        self.optimizer_G.step()

    def visuals(self):
        return {name: getattr(self, name).mean().item() for name in self.names()}

    def names(self):
        return ("fake_B", "idt") if self.weight > 0 else ("fake_B",)


for weight in (0.0, 0.5):
    model = Translation(weight)
    for _ in range(3):
        model.set_input(torch.randn(2, 1, 5, 5), torch.randn(2, 1, 5, 5))
        model.optimize_parameters()
        print({name: f"{value:.4f}" for name, value in model.visuals().items()}, hasattr(model, "idt"))
        print(f"{float(model.loss_gan):.4f} {float(model.loss_idt):.4f}")
