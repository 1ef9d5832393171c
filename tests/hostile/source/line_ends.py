# expect: error
# tries: carriage returns, form feeds and Unicode line ends, so that line numbers differ between readers
a = 1b = 2
c = "       "
d = 1 / 0