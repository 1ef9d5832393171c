# expect: denied
# tries: what the lecture's notebook does first: to read names.txt
words = open("names.txt", "r").read().splitlines()
