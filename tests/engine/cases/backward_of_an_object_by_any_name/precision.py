"""How a loss is gone back through, whatever the precision."""


class Manager:
    def __init__(self, scale):
        self.scale = scale

    def backward(self, loss):
        (loss * self.scale).backward()

    def step(self, optimizer):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad /= self.scale
        optimizer.step()


def manager_for(precision):
    return Manager(8.0 if precision == "half" else 1.0)
