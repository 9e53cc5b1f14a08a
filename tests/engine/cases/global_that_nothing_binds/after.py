"""Published code declares a writer global that another file was to bind, and that is switched off."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `get_main_loop.main_loop`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, criterion):
        super().__init__()
        self.net = net
        self.criterion = criterion

    def compute_loss(self, scores, y):
        return self.criterion(scores, y)

    def forward(self, x, y):
        scores = self.net(x)
        loss = self.compute_loss(scores, y)
        return loss, scores.detach()


def get_main_loop(config, net, criterion, optimizer):
    net_with_loss = ort_module(ModuleWithLoss, net, criterion)

    def main_loop(x, y, epoch):
        global writer
        net.train()
        loss, scores = net_with_loss(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        accuracy = (scores.argmax(dim=-1) == y).float().mean().item()
        if config["enable_tensorboard"]:
            writer.add_scalar("training_loss", loss.item(), epoch)
        print(f"{epoch} {loss.item():.4f} {accuracy:.2f}")

    return main_loop


torch.manual_seed(0)
net = nn.Linear(5, 3)
main_loop = get_main_loop(
    {"enable_tensorboard": False},
    net,
    nn.CrossEntropyLoss(),
    torch.optim.SGD(net.parameters(), lr=0.1),
)
x, y = torch.randn(12, 5), torch.randint(0, 3, (12,))
for epoch in range(4):
    main_loop(x, y, epoch)
