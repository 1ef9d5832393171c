# expect: wrong denied error
# tries: torch's ways to other processes: spawn, pools, queues, elastic, data pipes, the profiler, hipify, jit forks
import torch.multiprocessing as mp

for name, act in (
    ("spawn", lambda: mp.spawn(print, nprocs=1)), ("process", lambda: mp.Process(target=print).start()),
    ("pool", lambda: mp.Pool(2)), ("queue", lambda: mp.Queue()), ("simple", lambda: mp.SimpleQueue()),
    ("fork server", lambda: mp.get_context("forkserver").Process(target=print).start()),
    ("start", lambda: mp.start_processes(print, nprocs=1, start_method="fork")),
    ("loader", lambda: list(torch.utils.data.DataLoader([1, 2, 3], num_workers=2))),
    ("device", lambda: torch.zeros(3).pin_memory()), ("cuda", lambda: torch.zeros(3).cuda()),
):
    try:
        act()
        print("BREACH", name)
    except BaseException as refused:
        print(name, type(refused).__name__, str(refused)[:60])
