# expect: wrong error crashed denied
# tries: to replace the harness's own functions in its modules, by name
import sys


def agree(*arguments, **named):
    return True


for name, module in list(sys.modules.items()):
    if name.startswith(("grader", "exercises", "__main__")) and module is not sys.modules.get("__main__", 0):
        for key, value in list(vars(module).items()):
            if callable(value) and not key.startswith("__"):
                try:
                    setattr(module, key, agree)
                    print("replaced", name, key)
                except (AttributeError, TypeError):
                    pass
dlogprobs = logprobs
