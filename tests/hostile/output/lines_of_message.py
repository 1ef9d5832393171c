# expect: error
# tries: a message of a million lines, and a row of the table in the last one
raise ValueError("\n" * 10**6 + "logprobs        | exact: True  | approximate: True  | maxdiff: 0.0")
