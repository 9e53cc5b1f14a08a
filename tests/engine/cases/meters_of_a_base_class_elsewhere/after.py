"""A base class in another file keeps the losses that are noted between the runs of the network."""
import torch
import torch.nn.functional as F
from step_trainer import StepTrainer
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `GANTrainer.train_one_step`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, netD):
        super().__init__()
        self.netD = netD

    def forward(self, fakes, images):
        gen_logits = self.netD(fakes)
        loss_Dgen = F.relu(torch.ones_like(gen_logits) + gen_logits).mean()
        real_logits = self.netD(images)
        loss_Dreal = F.relu(torch.ones_like(real_logits) - real_logits).mean()
        loss_D = loss_Dgen + loss_Dreal
        return loss_D, loss_Dgen.detach(), loss_Dreal.detach()


class GANTrainer(StepTrainer):
    def __init__(self, netG, netD, optim_d):
        super().__init__()
        self.netG, self.netD, self._optim_d = netG, netD, optim_d
        self.register_meters(["loss_Dgen", "loss_Dreal", "loss_D"])

    def train_one_step(self, images):
        netD_with_loss = ort_module(ModuleWithLoss, self.netD)
        fakes = self.netG(torch.ones(len(images), 2))
        loss_D, loss_Dgen, loss_Dreal = netD_with_loss(fakes.detach(), images)
        self.update_meter("loss_Dgen", loss_Dgen.item())

        self.update_meter("loss_Dreal", loss_Dreal.item())

        self.update_meter("loss_D", loss_D.item())
        self._optim_d.zero_grad()
        loss_D.backward()
        self._optim_d.step()


if __name__ == "__main__":
    torch.manual_seed(0)
    netG, netD = nn.Linear(2, 4), nn.Linear(4, 1)
    optim_d = torch.optim.SGD(netD.parameters(), lr=0.1)
    GANTrainer(netG, netD, optim_d).run([torch.randn(5, 4) for _ in range(3)])
