# expect: error
# tries: to look like an operator who pressed Ctrl-C
raise KeyboardInterrupt
