# expect: ok error denied
# tries: modules of the standard library that are not loaded yet: their import has to open files
import sys

for name in (
    "sqlite3", "curses", "tkinter", "dbm", "lib2to3", "idlelib", "_testcapi", "_xxsubinterpreters",
    "ensurepip", "venv", "turtle", "wave", "nntplib", "telnetlib", "crypt", "spwd", "ossaudiodev",
):
    known = name in sys.modules
    try:
        if getattr(__import__(name), "__file__", None) and not known:
            print("BREACH read a module's file", name)
    except Exception as refused:
        print(name, type(refused).__name__, str(refused)[:60])
