# expect: ok wrong
# tries: sixty thousand empty lines, for whoever shows them one above the other
print("\n" * 60_000)
