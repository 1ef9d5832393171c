# expect: ok error denied
# tries: every opener of Python on files that are on any machine
import importlib.util
import io
import linecache
import mmap
import os
import pathlib
import tokenize

for act in (
    lambda: open("/etc/passwd").read(1),
    lambda: open("/etc/passwd", opener=os.open).read(1),
    lambda: io.FileIO("/etc/hostname").read(1),
    lambda: io.open_code("/etc/passwd").read(1),
    lambda: os.open("/etc/passwd", os.O_RDONLY),
    lambda: os.open("/etc", os.O_PATH),
    lambda: pathlib.Path("/etc/passwd").read_text(),
    lambda: tokenize.open("/etc/hostname").read(1),
    lambda: linecache.getlines("/etc/passwd")[0],
    lambda: mmap.mmap(os.open("/etc/passwd", 0), 10, prot=1)[:1],
    lambda: importlib.util.spec_from_file_location("p", "/etc/passwd").loader.get_data("/etc/passwd"),
):
    try:
        print("BREACH opened a file", act())
    except Exception as refused:
        print(type(refused).__name__, refused)
