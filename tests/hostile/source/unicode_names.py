# expect: wrong error
# tries: identifiers that become others when the parser normalises them, and names that look like dlogprobs
𝐝𝐥𝐨𝐠𝐩𝐫𝐨𝐛𝐬 = logprobs
dlоgprobs = logits
ﬁ = "\N{GREEK SMALL LETTER OMEGA}"
print(sorted(k for k in globals() if not k.startswith("_"))[:5])
