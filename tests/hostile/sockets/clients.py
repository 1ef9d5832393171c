# expect: ok error denied
# tries: the clients that a student knows: urllib, http, asyncio, torch.hub, DNS
import asyncio
import http.client
import socket
import urllib.request

for act in (
    lambda: urllib.request.urlopen("http://127.0.0.1:1/", timeout=1),
    lambda: http.client.HTTPConnection("127.0.0.1", 1, timeout=1).connect(),
    lambda: socket.create_connection(("127.0.0.1", 1), 1),
    lambda: socket.getaddrinfo("localhost", 80),
    lambda: asyncio.run(asyncio.sleep(0)),
    lambda: torch.hub.load_state_dict_from_url("http://127.0.0.1:1/x.pt"),
    lambda: torch.distributed.TCPStore("127.0.0.1", 0, 1, True),
):
    try:
        print("BREACH", act())
    except ConnectionRefusedError:
        print("BREACH there was a network to be refused by")
    except Exception as refused:
        print(type(refused).__name__, str(refused)[:80])
