# distillation: KL of softened distributions times T squared, plus cross-entropy
# --- given
x = data(6, 5)
Ws = param(5, 4)
Wt = data(5, 4)
y = labels(4, 6)
T = 2.0
alpha = 0.3
# --- lines
student_logits = x @ Ws
with torch.no_grad():
    teacher_logits = x @ Wt
soft_targets = F.softmax(teacher_logits / T, dim=-1)
soft_prob = F.log_softmax(student_logits / T, dim=-1)
soft_targets_loss = torch.sum(soft_targets * (soft_targets.log() - soft_prob)) / soft_prob.size()[0] * (T**2)
label_loss = nn.CrossEntropyLoss()(student_logits, y)
loss = alpha * soft_targets_loss + (1 - alpha) * label_loss
