import lightning as L
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `LitClassifier.training_step`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, y_hat, y):
        return F.cross_entropy(y_hat, y)

    def forward(self, x, y):
        y_hat = self.model(x)
        loss = self.compute_loss(y_hat, y)
        return loss, y_hat.detach()


class LitClassifier(L.LightningModule):
    def __init__(self, hidden=8, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 3))

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, batch_idx):
        model_with_loss = ort_module(ModuleWithLoss, self)
        x, y = batch
        loss, y_hat = model_with_loss(x, y)
        self.log("train_loss", loss)
        self.log("train_acc", (y_hat.argmax(dim=1) == y).float().mean())
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


L.seed_everything(0, verbose=False)
data = TensorDataset(torch.randn(12, 4), torch.randint(0, 3, (12,)))
model = LitClassifier()
trainer = L.Trainer(
    max_epochs=2,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(model, DataLoader(data, batch_size=4), DataLoader(data, batch_size=6))
print({name: f"{value.item():.5f}" for name, value in trainer.callback_metrics.items()})
