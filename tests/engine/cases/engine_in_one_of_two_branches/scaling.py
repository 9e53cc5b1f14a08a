"""Backward and update in one call, as for training in half precision."""

import torch


class Scaler:
    def __call__(self, loss, optimizer, clip_grad, parameters, update):
        loss.backward()
        norm = None
        if update:
            norm = torch.nn.utils.clip_grad_norm_(parameters, clip_grad)
            optimizer.step()
        return norm
