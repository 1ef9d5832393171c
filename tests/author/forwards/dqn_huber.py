# DQN: gather the taken actions, bootstrap from a target network under no_grad, smooth L1
# --- given
state = data(8, 4)
next_state = data(8, 4)
action = labels(2, 8)
reward = data(8)
done = labels(2, 8)
W1 = param(4, 16)
W2 = param(16, 2)
T1 = data(4, 16)
T2 = data(16, 2)
gamma = 0.99
# --- lines
q_values = F.relu(state @ W1) @ W2
state_action_values = q_values.gather(1, action.unsqueeze(1)).squeeze(1)
with torch.no_grad():
    next_q = F.relu(next_state @ T1) @ T2
    next_state_values = next_q.max(dim=1)[0]
    expected = reward + gamma * next_state_values * (1 - done.float())
loss = F.smooth_l1_loss(state_action_values, expected)
