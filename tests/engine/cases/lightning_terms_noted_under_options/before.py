"""An autoencoder whose options bring terms of their own, each logged before it is added."""
import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Autoencoder(L.LightningModule):
    def __init__(self, sparse=True, smooth=False, decay=1e-2):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
        self.decoder = nn.Linear(4, 6)
        self.loss = nn.MSELoss()
        self.sparse = sparse
        self.smooth = smooth
        self.decay = decay

    def training_step(self, batch, batch_idx):
        (x,) = batch
        code = self.encoder(x)
        x_pred = self.decoder(code)
        recon_loss = self.loss(x_pred, x)
        self.log("train/recon", recon_loss)

        loss = recon_loss
        if self.sparse:
            sparsity = code.abs().mean()
            self.log("train/sparsity", sparsity, on_step=False,
                     on_epoch=True)

            loss = loss + self.decay * sparsity
        if self.smooth:
            noise = torch.zeros(x.shape[0], 4, device=self.device)
            smoothness = self.loss(self.decoder(code + noise), x)
            loss = loss + self.decay * smoothness
            self.log("train/smoothness", smoothness, on_step=False, on_epoch=True)

        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


L.seed_everything(0, verbose=False)
data = TensorDataset(torch.randn(12, 6))
for smooth in (False, True):
    model = Autoencoder(smooth=smooth)
    trainer = L.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, DataLoader(data, batch_size=4))
    print({name: f"{value.item():.4f}" for name, value in trainer.callback_metrics.items()})
