# expect: error
# tries: line ends that are none to Python: form feeds, separators, next line, in code and in strings

lonely = 1
text = '''  '''
x = undefined_here
