from torch import nn


class Learner(nn.Module):
    def __init__(self):
        super().__init__()
        self.optimizer = None
        self.share_of_replay = 0.5
