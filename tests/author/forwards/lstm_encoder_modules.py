# torch's own recurrent and transformer layers in one model, in-place ReLUs, padding, a weighted loss
# --- given
model = Model(9, 4, 6)
tokens = labels(9, 2, 3)
y = labels(3, 2)
class_weights = uniform(3, low=0.5, high=1.5)
# --- lines
class Model(nn.Module):
    def __init__(self, vocab, emb, hidden):
        super().__init__()
        self.emb = nn.Embedding(vocab, emb, padding_idx=0)
        self.lstm = nn.LSTM(emb, hidden, batch_first=True)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.enc = nn.TransformerEncoderLayer(hidden, nhead=2, dim_feedforward=8, dropout=0.0, batch_first=True)
        self.head = nn.Sequential(nn.Linear(hidden, 5), nn.ReLU(inplace=True), nn.Linear(5, 3))

    def forward(self, tokens):
        x = self.emb(tokens)
        out, (h_n, c_n) = self.lstm(x)
        out, h = self.gru(out, h_n)
        out = self.enc(out)
        return self.head(out.mean(dim=1) + h[-1])

criterion = nn.CrossEntropyLoss(weight=class_weights, ignore_index=2)
loss = criterion(model(tokens), y)
