# expect: wrong error
# tries: the modules that results usually travel by: json, struct, pickle, marshal, base64, safetensors
import sys

for name in ("json", "struct", "_struct", "pickle", "marshal", "base64", "safetensors", "io"):
    module = sys.modules.get(name)
    for key in list(vars(module)) if module else ():
        if not key.startswith("__") and callable(getattr(module, key)):
            try:
                setattr(module, key, lambda *a, **k: b'{"status": "ok"}')
            except (AttributeError, TypeError):
                pass
dlogprobs = logprobs
