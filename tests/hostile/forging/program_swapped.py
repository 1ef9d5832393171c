# expect: error crashed
# tries: to change the compiled program and its text that the harness shows lines of, while it runs
import sys

attempt = sys._getframe(1).f_locals["self"]
program = attempt._program


class Text(str):
    def splitlines(self, *ignored):
        return ["a line"] * 10**7

    def split(self, *ignored):
        return self.splitlines()


object.__setattr__(program, "text", Text("x"))
object.__setattr__(program, "flags", ("autograd",) * 10**6 + ("no such flag",))
attempt._task = None
undefined
