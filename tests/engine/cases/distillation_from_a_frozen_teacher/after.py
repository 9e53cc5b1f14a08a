import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, student):
        super().__init__()
        self.student = student

    def compute_loss(self, student_logits, teacher_logits, labels):
        # Soften both sides, the gradients scale as 1/T^2.
        soft = F.kl_div(
            F.log_softmax(student_logits / T, dim=1),
            F.softmax(teacher_logits / T, dim=1),
            reduction="batchmean",
        ) * (T * T)
        hard = F.cross_entropy(student_logits, labels)
        return alpha * soft + (1 - alpha) * hard

    def forward(self, inputs, teacher_logits, labels):
        student_logits = self.student(inputs)
        return self.compute_loss(student_logits, teacher_logits, labels)


torch.manual_seed(0)
teacher = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
student = nn.Linear(6, 3)
teacher.eval()
for p in teacher.parameters():
    p.requires_grad = False
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
T, alpha = 4.0, 0.7
loader = [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(3)]

student_with_loss = ort_module(ModuleWithLoss, student)
for inputs, labels in loader:
    with torch.no_grad():
        teacher_logits = teacher(inputs)
    loss = student_with_loss(inputs, teacher_logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
