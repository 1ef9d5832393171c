# expect: wrong denied error
# tries: readers that go round open: importlib.resources, pkgutil, linecache, inspect, zoneinfo, locale, netrc, pwd
import importlib

for module, act in (
    ("importlib.resources", lambda m: m.files("grader").joinpath("compare.py").read_text()),
    ("pkgutil", lambda m: m.get_data("grader", "compare.py")), ("linecache", lambda m: m.getlines("/etc/passwd")),
    ("inspect", lambda m: m.getsource(type(cmp))), ("zoneinfo", lambda m: m.ZoneInfo("Europe/Berlin")), ("pwd", lambda m: m.getpwall()),
    ("grp", lambda m: m.getgrall()), ("netrc", lambda m: m.netrc()), ("locale", lambda m: m.setlocale(m.LC_ALL, "de_DE.UTF-8")),
    ("gettext", lambda m: m.find("dojo")), ("mimetypes", lambda m: m.init()), ("tokenize", lambda m: m.open("/etc/passwd")),
    ("fileinput", lambda m: list(m.input("/etc/passwd"))), ("zipimport", lambda m: m.zipimporter("/x.zip")), ("site", lambda m: m.main()),
    ("sysconfig", lambda m: m.get_config_vars()["prefix"] and None), ("runpy", lambda m: m.run_path("/etc/passwd")),
):
    try:
        got = act(importlib.import_module(module))
        if got:
            print("BREACH", module, str(got)[:60])
    except BaseException as refused:
        print(module, type(refused).__name__, str(refused)[:50])
