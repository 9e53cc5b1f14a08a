import torch


def update(loss, optimizer, parameters=(), longest=None):
    optimizer.zero_grad()
    loss.backward()
    if longest is not None:
        torch.nn.utils.clip_grad_norm_(parameters, longest)
    optimizer.step()
    return loss.item()
