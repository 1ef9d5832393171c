# a GRU cell as an own module, called in a loop
# --- given
cell = GRUCellManual(3, 5)
x = data(2, 3, 3)
g = data(2, 5)
# --- lines
class GRUCellManual(nn.Module):
    def __init__(self, input_size, hidden_size, bias=True):
        super(GRUCellManual, self).__init__()
        self.hidden_size = hidden_size
        self.x2h = nn.Linear(input_size, 3 * hidden_size, bias=bias)
        self.h2h = nn.Linear(hidden_size, 3 * hidden_size, bias=bias)
        self.reset_parameters()

    def reset_parameters(self):
        std = 1.0 / math.sqrt(self.hidden_size)
        for w in self.parameters():
            w.data.uniform_(-std, std)

    def forward(self, x, hidden):
        x = x.view(-1, x.size(1))
        gate_x = self.x2h(x)
        gate_h = self.h2h(hidden)
        i_r, i_i, i_n = gate_x.chunk(3, 1)
        h_r, h_i, h_n = gate_h.chunk(3, 1)
        resetgate = torch.sigmoid(i_r + h_r)
        inputgate = torch.sigmoid(i_i + h_i)
        newgate = torch.tanh(i_n + (resetgate * h_n))
        hy = newgate + inputgate * (hidden - newgate)
        return hy

h = torch.zeros(2, 5)
for step in range(x.shape[1]):
    h = cell(x[:, step], h)
loss = (h * g).sum()
