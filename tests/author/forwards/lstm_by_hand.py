# an LSTM by hand: gates from one product, chunked, states in a loop, outputs stacked
# --- given
x = data(2, 4, 3)
W_ih = param(3, 20)
W_hh = param(5, 20)
bias = param(20)
V = param(5, 6)
y = labels(6, 2, 4)
hidden_size = 5
# --- lines
bs, seq_sz, _ = x.size()
hidden_seq = []
h_t, c_t = (torch.zeros(bs, hidden_size).to(x.device), torch.zeros(bs, hidden_size).to(x.device))
HS = hidden_size
for t in range(seq_sz):
    x_t = x[:, t, :]
    # batch the computations into a single matrix multiplication
    gates = x_t @ W_ih + h_t @ W_hh + bias
    i_t, f_t, g_t, o_t = (
        torch.sigmoid(gates[:, :HS]), # input
        torch.sigmoid(gates[:, HS:HS*2]), # forget
        torch.tanh(gates[:, HS*2:HS*3]),
        torch.sigmoid(gates[:, HS*3:]), # output
    )
    c_t = f_t * c_t + i_t * g_t
    h_t = o_t * torch.tanh(c_t)
    hidden_seq.append(h_t.unsqueeze(0))
hidden_seq = torch.cat(hidden_seq, dim=0)
# reshape from shape (sequence, batch, feature) to (batch, sequence, feature)
hidden_seq = hidden_seq.transpose(0, 1).contiguous()
logits = hidden_seq @ V
loss = F.cross_entropy(logits.reshape(-1, logits.size(-1)), y.reshape(-1))
