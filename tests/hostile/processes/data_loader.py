# expect: ok error denied
# tries: what a student may do in good faith: a DataLoader with workers
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(Xb, Yb), batch_size=4, num_workers=2)
for batch in loader:
    print("BREACH a worker process answered", len(batch))
