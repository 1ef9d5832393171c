# expect: error wrong crashed memory_limit
# tries: a chain of three thousand elifs, each one a level deeper in the tree
x = 0
if x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
elif x:
 pass
