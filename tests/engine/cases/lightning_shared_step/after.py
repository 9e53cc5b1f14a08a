"""Training and validation share a step, which logs by itself."""
import torch
import lightning.pytorch as pl
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `LitRegressor._shared_step`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, prediction, y):
        return self.criterion(prediction, y)

    def forward(self, x, y):
        prediction = self.model(x)
        loss = self.compute_loss(prediction, y)
        return loss, prediction


class LitRegressor(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
        self.criterion = nn.MSELoss()

    def _shared_step(self, batch, stage):
        model_with_loss = ort_module(ModuleWithLoss, self.model, self.criterion)
        x, y = batch
        loss, prediction = model_with_loss(x, y)
        self.log(f"{stage}_loss", loss, prog_bar=True)
        return loss, prediction

    def training_step(self, batch, batch_idx):
        loss, prediction = self._shared_step(batch, "train")
        self.log("mean", prediction.mean())
        return loss

    def validation_step(self, batch, batch_idx):
        self._shared_step(batch, "val")

    def configure_optimizers(self):
        return torch.optim.Adam(self.model.parameters(), lr=0.01)


pl.seed_everything(0, verbose=False)
data = TensorDataset(torch.randn(12, 4), torch.randn(12, 1))
lit = LitRegressor()
trainer = pl.Trainer(
    max_epochs=2,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(lit, DataLoader(data, batch_size=4), DataLoader(data, batch_size=6))
print({name: f"{value.item():.5f}" for name, value in trainer.callback_metrics.items()})
