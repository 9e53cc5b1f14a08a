class BaseTrainer:
    def __init__(self):
        self._meters = {}

    def register_meters(self, meters):
        for name in meters:
            self._meters[name] = 0

    def update_meter(self, name, value):
        if name not in self._meters:
            raise Exception(f"meter: {name} not registered")
        self._meters[name] = value


class StepTrainer(BaseTrainer):
    def run(self, batches):
        for batch in batches:
            self.train_one_step(batch)
            print({name: f"{value:.4f}" for name, value in self._meters.items()})
