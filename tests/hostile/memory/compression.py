# expect: memory_limit time_limit
# tries: a decompression bomb: thousand-fold, level by level
import zlib

data = zlib.compress(bytes(1 << 26), 9)
bombs = [zlib.decompress(data) for _ in range(64)]
print("BREACH four gigabytes out of", len(data), "bytes")
