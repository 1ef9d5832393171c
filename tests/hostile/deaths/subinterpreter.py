# expect: crashed error wrong denied
# tries: another interpreter in the same process, without the harness's modules
try:
    import _xxsubinterpreters as interpreters
except ImportError as refused:
    print(refused)
else:
    other = interpreters.create()
    interpreters.run_string(other, "import sys; print('BREACH' if 'server' in sys.modules else 'inside')")
    interpreters.run_string(other, "open('/etc/passwd'); print('BREACH')")
