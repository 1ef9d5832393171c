# expect: error denied
# tries: errors that the harness explains, with a number, a name or a path of the student's making
class Name(str):
    def partition(self, *ignored):
        return self, self, self

    def __contains__(self, what):
        return True


try:
    raise OSError(13, "\x1b[2J" * 1000, "/etc/shadow\n" * 1000, None, "other")
except OSError as refused:
    first = refused
error = ModuleNotFoundError(Name("m"), name=Name("matplotlib.\n\x1b[2J"), path="p" * 10**6)
error.errno = first
raise error from first
