# expect: wrong denied error
# tries: writers that bring their own C: sqlite, dbm, shelve, zip, tar, logging, mmap of a new file
made = {}
for name, act in (
    ("sqlite3", lambda: __import__("sqlite3").connect("/tmp/evil.db").execute("create table t(x)")),
    ("dbm", lambda: __import__("dbm").open("/tmp/evil", "c")),
    ("shelve", lambda: __import__("shelve").open("/tmp/evil")),
    ("zipfile", lambda: __import__("zipfile").ZipFile("/tmp/evil.zip", "w")),
    ("tarfile", lambda: __import__("tarfile").open("/tmp/evil.tar", "w")),
    ("logging", lambda: __import__("logging").FileHandler("/tmp/evil.log")),
    ("numpy", lambda: __import__("numpy").memmap("/tmp/evil.bin", mode="w+", shape=9)),
    ("safetensors", lambda: __import__("safetensors.torch").torch.save_file({"x": logits}, "/tmp/evil.safetensors")),
    ("trace", lambda: __import__("tracemalloc").start() or __import__("tracemalloc").take_snapshot().dump("/tmp/evil")),
    ("profile", lambda: __import__("cProfile").Profile().dump_stats("/tmp/evil.prof")),
):
    try:
        made[name] = act()
        print("BREACH", name)
    except Exception as refused:
        print(name, type(refused).__name__, str(refused)[:50])
