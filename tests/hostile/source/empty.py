# expect: wrong
# tries: nothing at all
