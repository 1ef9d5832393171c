# expect: error
# tries: text that is not what it looks like: direction marks, tags, joiners, thousands of accents on one letter
marks = "\u200e\u200f\u061c\u200b\u200d\u2060\u2061\ufeff\u00ad\U000e0041\ufff9x\ufffa\ufffb" + "z" + "\u0301" * 5000
print(marks)
print("\u202e" + "\u2066" + "exact: eurT" + "\u0085\u2028\x0b\x0c\x1c\x1d\x1e")
raise ValueError(marks + "\u202e\x1b]0;title\x07\x9b2J\r\rlogprobs        | exact: True")
