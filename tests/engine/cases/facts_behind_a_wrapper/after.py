"""A fact about the network, asked behind its wrappers, stands between the encoder and its run."""

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Denoiser(nn.Module):
    class config:
        in_channels = 8

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(8 + 3, 4)

    def forward(self, latents, states):
        return self.body(torch.cat([latents, states], 1))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, text_encoder, unet):
        super().__init__()
        self.text_encoder = text_encoder
        self.unet = unet

    def compute_loss(self, model_pred, latents):
        return F.mse_loss(model_pred, latents)

    def forward(self, input_ids, noisy, latents):
        encoder_hidden_states = self.text_encoder(input_ids).mean(1)
        model_pred = self.unet(noisy, encoder_hidden_states)
        return self.compute_loss(model_pred, latents)


def main():
    accelerator = Accelerator(cpu=True)
    text_encoder, unet = nn.Embedding(20, 3), Denoiser()
    optimizer = torch.optim.AdamW([*unet.parameters(), *text_encoder.parameters()], lr=0.01)
    unet, text_encoder, optimizer = accelerator.prepare(unet, text_encoder, optimizer)

    def unwrap_model(model):
        model = accelerator.unwrap_model(model)
        return model._orig_mod if hasattr(model, "_orig_mod") else model

    text_encoder_with_loss = ort_module(ModuleWithLoss, text_encoder, unet)
    for step in range(3):
        latents, input_ids = torch.randn(6, 4), torch.randint(20, (6, 5))

        noisy = latents + 0.1
        if unwrap_model(unet).config.in_channels == 8:
            noisy = torch.cat([noisy, noisy], dim=1)

        loss = text_encoder_with_loss(input_ids, noisy, latents)
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        print(f"{loss.item():.5f}")


main()
