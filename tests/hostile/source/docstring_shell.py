# expect: wrong error
# tries: notebook leftovers: magics and shell lines inside strings, and get_ipython, which is not here
"""
!cat /etc/passwd
%matplotlib inline
"""
get_ipython().system("cat /etc/passwd")
