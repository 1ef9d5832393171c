# expect: wrong denied error
# tries: the modules that speak for themselves: smtplib, ftplib, xmlrpc, syslog, webbrowser, logging, wsgiref
for name, act in (
    ("smtplib", lambda: __import__("smtplib").SMTP("127.0.0.1", 25)),
    ("ftplib", lambda: __import__("ftplib").FTP("127.0.0.1")),
    ("xmlrpc", lambda: __import__("xmlrpc.client").client.ServerProxy("http://127.0.0.1").x()),
    ("http.server", lambda: __import__("http.server").server.HTTPServer(("127.0.0.1", 0), None)),
    ("logging", lambda: __import__("logging.handlers").handlers.SocketHandler("127.0.0.1", 9).createSocket()),
    ("syslog", lambda: __import__("logging.handlers").handlers.SysLogHandler("/dev/log")),
    ("distributed", lambda: torch.distributed.TCPStore("127.0.0.1", 0, 1, True)),
    ("rpc", lambda: torch.distributed.FileStore("/tmp/store", 1).set("a", "b")),
    ("monitor", lambda: __import__("torch.monitor").monitor.stat),
    ("asyncio", lambda: __import__("asyncio").new_event_loop()),
):
    try:
        act()
        if name not in ("monitor",):
            print("BREACH", name)
    except BaseException as refused:
        print(name, type(refused).__name__, str(refused)[:60])
