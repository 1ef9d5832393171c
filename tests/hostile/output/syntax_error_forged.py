# expect: error
# tries: a SyntaxError of its own making: another file's name, a line that is none, a text of megabytes
class Text(str):
    def __len__(self):
        return -1

    def __getitem__(self, what):
        return Text("x" * 10**6)


error = SyntaxError(Text("m"), ("/etc/passwd", 10**9, -(10**9), "x" * 10**6, -5, 2**70))
error.print_file_and_line = object()
error.offset, error.end_offset = 2**80, -1
raise error
