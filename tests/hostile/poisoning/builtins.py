# expect: wrong error crashed
# tries: builtins that raise, lie or never end
import builtins


def refuse(*arguments, **named):
    raise KeyboardInterrupt("not today")


for name in list(vars(builtins)):
    if name[0].islower() and name not in ("setattr", "list", "vars"):
        setattr(builtins, name, refuse)
builtins.BaseException = builtins.Exception = builtins.OSError = builtins.list = builtins.vars = refuse
