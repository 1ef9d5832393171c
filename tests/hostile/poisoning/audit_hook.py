# expect: wrong error crashed
# tries: an audit hook, which cannot be taken away again, and which raises at everything
import sys


def hook(event, arguments):
    if armed:
        raise KeyboardInterrupt(event)


armed = False
sys.addaudithook(hook)
armed = True
