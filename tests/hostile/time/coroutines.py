# expect: time_limit denied error
# tries: coroutines that never end, without an event loop, which needs descriptors
import asyncio


async def forever():
    while True:
        await asyncio.sleep(0)


try:
    asyncio.run(forever())
except OSError as refused:
    print(refused)
turning = forever()
while True:
    turning.send(None)
