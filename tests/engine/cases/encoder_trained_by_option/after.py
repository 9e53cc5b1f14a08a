"""A text encoder that trains with the network by option: its embeddings are kept if it does not."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4 + 3, 4)

    def forward(self, latents, states):
        return self.body(torch.cat([latents, states], 1))


def encode_prompt(text_encoder, input_ids):
    return text_encoder(input_ids).mean(1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, unet, text_encoder):
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder

    def compute_loss(self, model_pred, noise):
        return F.mse_loss(model_pred, noise)

    def forward(self, prompt_embeds, train_text_encoder, latents, noise, prompt):
        if not train_text_encoder:
            model_pred = self.unet(latents + noise, prompt_embeds.repeat(6, 1))
        else:
            prompt_embeds = encode_prompt(self.text_encoder, prompt)
            model_pred = self.unet(latents + noise, prompt_embeds.repeat(6, 1))
        return self.compute_loss(model_pred, noise)


def main(args):
    print(sorted(vars(args)))
    text_encoder, unet = nn.Embedding(20, 3), Denoiser()
    params = list(unet.parameters())
    prompt = torch.randint(20, (1, 5))
    prompt_embeds = None
    if args.train_text_encoder:
        params += list(text_encoder.parameters())
    else:
        with torch.no_grad():
            prompt_embeds = encode_prompt(text_encoder, prompt)
    optimizer = torch.optim.AdamW(params, lr=0.01)
    unet_with_loss = ort_module(ModuleWithLoss, unet, text_encoder)
    for step in range(3):
        latents = torch.randn(6, 4)
        noise = torch.randn_like(latents)

        # Predict the noise residual
        loss = unet_with_loss(
            prompt_embeds, args.train_text_encoder, latents, noise, prompt
        )
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(train_text_encoder=False))
main(argparse.Namespace(train_text_encoder=True))
