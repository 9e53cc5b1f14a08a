import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from ortwrap.runtime import ort_module


class GANWithLoss(nn.Module):
    """Forward pass and loss of `GAN.training_step`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, z, valid):
        return self.model.adversarial_loss(self.model.discriminator(self.model(z)), valid)


class DiscriminatorWithLoss(nn.Module):
    """Forward pass and loss of `GAN.training_step`, exported to ONNX Runtime as one graph."""

    def __init__(self, discriminator, adversarial_loss):
        super().__init__()
        self.discriminator = discriminator
        self.adversarial_loss = adversarial_loss

    def forward(self, imgs, valid, fakes, fake):
        real_loss = self.adversarial_loss(self.discriminator(imgs), valid)
        fake_loss = self.adversarial_loss(self.discriminator(fakes), fake)
        return (real_loss + fake_loss) / 2


class GAN(pl.LightningModule):
    def __init__(self, latent_dim=3):
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.generator = nn.Sequential(nn.Linear(latent_dim, 5), nn.ReLU(), nn.Linear(5, 4))
        self.discriminator = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1))

    def forward(self, z):
        return self.generator(z)

    def adversarial_loss(self, y_hat, y):
        return F.binary_cross_entropy_with_logits(y_hat, y)

    def training_step(self, batch):
        model_with_loss = ort_module(GANWithLoss, self)
        discriminator_with_loss = ort_module(
            DiscriminatorWithLoss, self.discriminator, self.adversarial_loss
        )
        (imgs,) = batch
        optimizer_g, optimizer_d = self.optimizers()
        z = torch.randn(imgs.shape[0], self.hparams.latent_dim)
        z = z.type_as(imgs)

        # train generator
        self.toggle_optimizer(optimizer_g)
        valid = torch.ones(imgs.size(0), 1)
        g_loss = model_with_loss(z, valid)
        self.log("g_loss", g_loss, prog_bar=True)
        self.manual_backward(g_loss)
        optimizer_g.step()
        optimizer_g.zero_grad()
        self.untoggle_optimizer(optimizer_g)

        # train discriminator
        self.toggle_optimizer(optimizer_d)
        fakes = self(z).detach()
        fake = torch.zeros(imgs.size(0), 1)
        d_loss = discriminator_with_loss(imgs, valid, fakes, fake)
        self.log("d_loss", d_loss, prog_bar=True)
        self.manual_backward(d_loss)
        optimizer_d.step()
        optimizer_d.zero_grad()
        self.untoggle_optimizer(optimizer_d)

    def configure_optimizers(self):
        opt_g = torch.optim.Adam(self.generator.parameters(), lr=0.01)
        opt_d = torch.optim.Adam(self.discriminator.parameters(), lr=0.01)
        return [opt_g, opt_d], []


pl.seed_everything(0, verbose=False)
model = GAN()
trainer = pl.Trainer(
    max_epochs=2,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(model, DataLoader(TensorDataset(torch.randn(12, 4)), batch_size=4))
print({name: f"{value.item():.5f}" for name, value in trainer.callback_metrics.items()})
