"""The trainer of most forecasting repositories: each branch computes a loss and notes it."""
from argparse import Namespace

import torch
import torch.nn as nn

from experiment import Experiment
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `ForecastExperiment.train`.

    Exported to ONNX Runtime as one graph.
    """

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, batch_y, use_amp, args_model, batch_x, marks, features, horizon, device):
        if use_amp:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                if "Linear" in args_model:
                    outputs = self.model(batch_x)
                else:
                    outputs = self.model(batch_x, marks)
                f_dim = -1 if features == "MS" else 0
                outputs = outputs[:, :, f_dim:]
                batch_y = batch_y[:, -horizon:, f_dim:].to(device)
                loss = self.criterion(outputs, batch_y)
        else:
            if "Linear" in args_model:
                outputs = self.model(batch_x)
            else:
                outputs = self.model(batch_x, marks)
            f_dim = -1 if features == "MS" else 0
            outputs = outputs[:, :, f_dim:]
            batch_y = batch_y[:, -horizon:, f_dim:].to(device)
            loss = self.criterion(outputs, batch_y)
        return loss


class ForecastExperiment(Experiment):
    def __init__(self, args):
        super().__init__(args)

    def train(self, loader):
        optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05)
        criterion = nn.MSELoss()
        if self.args.use_amp:
            scaler = torch.amp.GradScaler("cpu")

        model_with_loss = ort_module(ModuleWithLoss, self.model, criterion)
        for epoch in range(2):
            train_loss = []
            self.model.train()
            for i, (batch_x, batch_y, marks) in enumerate(loader):
                optimizer.zero_grad()
                batch_x = batch_x.float().to(self.device)
                batch_y = batch_y.float().to(self.device)

                # encoder - decoder
                loss = model_with_loss(
                    batch_y,
                    self.args.use_amp,
                    self.args.model,
                    batch_x,
                    marks,
                    self.args.features,
                    self.args.horizon,
                    self.device,
                )
                train_loss.append(loss.item())

                if (i + 1) % 2 == 0:
                    print(f"iter {i + 1}: {loss.item():.5f}")

                if self.args.use_amp:
                    scaler.scale(loss).backward()
                    scaler.step(optimizer)
                    scaler.update()
                else:
                    loss.backward()
                    optimizer.step()
            print(f"{epoch} {sum(train_loss) / len(train_loss):.5f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    args = Namespace(use_amp=False, model="DLinear", features="M", window=6, horizon=2)
    loader = [(torch.randn(4, 6, 3), torch.randn(4, 5, 3), torch.randn(4, 6, 1)) for _ in range(3)]
    ForecastExperiment(args).train(loader)
