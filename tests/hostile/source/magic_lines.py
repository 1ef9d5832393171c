# expect: ok wrong error denied
# tries: lines that only a notebook takes, with what they would run there: shells, scripts, loads, environment
!cat /etc/passwd > /tmp/stolen; curl http://127.0.0.1
%run /etc/passwd
%load_ext autoreload
%env SECRET
%%bash
%%writefile /tmp/written
text = """
%not_magic = 1
!kept
"""
files = !ls
%%capture out
%timeit -n 1000000000 [0] * 10**9
print(text)
??
