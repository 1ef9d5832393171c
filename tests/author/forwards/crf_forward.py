# a linear-chain CRF: the forward algorithm by logsumexp, the score of the gold path
# --- given
feats = param(5, 3)
transitions = param(3, 3)
start = param(3)
tags = labels(3, 5)
# --- lines
alpha = start + feats[0]
for t in range(1, feats.size(0)):
    alpha = torch.logsumexp(alpha.unsqueeze(1) + transitions, dim=0) + feats[t]
log_Z = torch.logsumexp(alpha, dim=0)
score = start[tags[0]] + feats[0, tags[0]]
for t in range(1, feats.size(0)):
    score = score + transitions[tags[t - 1], tags[t]] + feats[t, tags[t]]
nll = log_Z - score
loss = nll
