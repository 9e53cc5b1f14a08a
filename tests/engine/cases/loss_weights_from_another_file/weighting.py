import torch


@torch.no_grad()
def loss_weights(scheme, sigmas):
    if scheme == "cosmap":
        return 2 / (torch.pi * (1 - 2 * sigmas + 2 * sigmas**2))
    return torch.ones_like(sigmas)
