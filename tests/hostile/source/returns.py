# expect: error
# tries: statements where none may stand: return, yield, await, break, nonlocal
nonlocal x
return 5
yield 6
await 7
break
