# expect: ok error denied
# tries: pools, executors and the event loop's helpers
import asyncio
import concurrent.futures
import multiprocessing

for act in (
    lambda: concurrent.futures.ThreadPoolExecutor().submit(int).result(1),
    lambda: concurrent.futures.ProcessPoolExecutor().submit(int).result(1),
    lambda: multiprocessing.Pool(2),
    lambda: asyncio.run(asyncio.to_thread(int)),
    lambda: asyncio.run(asyncio.create_subprocess_exec("/bin/true")),
):
    try:
        act()
        print("BREACH a pool of workers works")
    except Exception as refused:
        print(type(refused).__name__, refused)
