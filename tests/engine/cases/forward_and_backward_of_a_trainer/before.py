from abc import ABC

import torch
from torch import nn

torch.manual_seed(4)


class Translation(ABC):
    def __init__(self, options):
        self.options = options
        self.data = torch.zeros(1, 4)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        self.criterion = nn.L1Loss()
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.01)

    def set_input(self, batch):
        self.data.resize_(batch["data"].size()).copy_(batch["data"])
        self.target = batch["target"]

    def forward(self):
        """Run forward pass; called by both <optimize_parameters> and <test>."""
        self.output = self.net(self.data)

    def backward(self):
        """Calculate gradients for network weights."""
        # forward has left self.output
        self.loss_net = self.criterion(self.output, self.target) * self.options["weight"]
        self.loss_net.backward()

    def optimize_parameters(self):
        self.forward()  # first calculate what the network gives
        self.optimizer.zero_grad()
        self.backward()
        self.optimizer.step()

    def test(self):
        with torch.no_grad():
            self.forward()

    def current_losses(self):
        return {"net": float(self.loss_net)}


model = Translation({"weight": 2.0})
for epoch in range(2):
    for step in range(3):
        model.set_input({"data": torch.randn(5, 4), "target": torch.randn(5, 2)})
        model.optimize_parameters()
        print(f"{model.current_losses()['net']:.5f} {model.output.mean().item():.5f}")
    model.test()
    print(f"{model.output.mean().item():.5f}")
