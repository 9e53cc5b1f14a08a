"""A model of Lightning, as a class of the package says that it derives from."""

import lightning as L
import torch
from digits.models import DigitModel
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `SmallNet.training_step`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images, labels):
        logits = self.model(images)
        loss = self.model.loss_fn(logits, labels)
        return loss, logits.detach()


class SmallNet(DigitModel):
    def __init__(self, classes=3, lr=0.1):
        super().__init__(classes, lr)
        self.inner = nn.Linear(8, 16)
        self.outer = nn.Linear(16, classes)

    def forward(self, images):
        return self.outer(self.dropout(torch.relu(self.inner(images.flatten(1)))))

    def training_step(self, batch, batch_idx):
        model_with_loss = ort_module(ModuleWithLoss, self)
        images, labels = batch
        loss, logits = model_with_loss(images, labels)
        accuracy = (logits.argmax(dim=1) == labels).float().mean()
        self.log_dict({"train_loss": loss, "train_acc": accuracy}, prog_bar=True)
        return loss


L.seed_everything(0, verbose=False)
data = TensorDataset(torch.randn(12, 2, 4), torch.randint(0, 3, (12,)))
model = SmallNet()
trainer = L.Trainer(
    max_epochs=2,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(model, DataLoader(data, batch_size=4))
print({name: f"{value.item():.5f}" for name, value in trainer.callback_metrics.items()})
