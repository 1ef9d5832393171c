# expect: ok error denied
# tries: to build and load an extension module of its own
from torch.utils.cpp_extension import load_inline

source = "int answer() { return 42; }"
module = load_inline("hostile", cpp_sources=source, functions=["answer"])
print("BREACH native code", module.answer())
