"""A base class of this file that derives from LightningModule; the model is built outside."""
import lightning.pytorch as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Base(pl.LightningModule):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x):
        h = self.encoder(x)
        mu, log_var = h.chunk(2, dim=1)
        return mu, log_var

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.05)


class VAE(Base):
    def _compute_losses(self, x):
        mu, log_var = self.encode(x)
        reconstruction = self.decoder(mu + 0.1 * log_var)
        mse = nn.functional.mse_loss(reconstruction, x)
        kl = -0.5 * torch.mean(1 + log_var - mu.pow(2) - log_var.exp())
        return {"loss": mse + kl, "mse": mse, "kl": kl}

    def training_step(self, batch, batch_idx):
        (x,) = batch
        losses = self._compute_losses(x)
        self.log_dict(losses)
        return losses


pl.seed_everything(0, verbose=False)
vae = VAE(nn.Linear(4, 4), nn.Linear(2, 4))
trainer = pl.Trainer(
    max_epochs=2,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(vae, DataLoader(TensorDataset(torch.randn(12, 4)), batch_size=4))
print({name: f"{value.item():.5f}" for name, value in trainer.callback_metrics.items()})
