#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks a real `statelib serve` with connections that never finish a header, and measures the allowed requests.

    tests/cli/serve/starve.py PROGRAM [--seconds S] [--idle N] [--dripping N]

Idle connections say nothing, dripping ones send a header a byte at a time; each opens anew as soon as it is closed.
Meanwhile a client with the token asks again and again, on a new connection each time. Twice: as the server comes, and
with so few open files that the attackers fill it. Ends with 1 when a request took more than a second or failed.
"""
import argparse
import json
import multiprocessing
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time

ALLOWED_SECONDS = 1.0
GIVEN_UP_SECONDS = 10.0
TOKEN = "0123456789abcdef0123456789abcdef"
HEADER = b"GET /v1/catalogue HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 4000


class Attackers:
    """All hostile connections, in one process of their own."""

    def __init__(self, port, idle, dripping):
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.opened = 0
        self.sent = {}  # of the dripping ones: how many bytes of the header each has sent
        for _ in range(idle):
            self.open(False)
        for _ in range(dripping):
            self.open(True)

    def open(self, drips):
        connection = socket.socket()
        connection.setblocking(False)
        try:
            connection.connect(("127.0.0.1", self.port))
        except BlockingIOError:
            pass
        self.selector.register(connection, selectors.EVENT_READ, drips)
        if drips:
            self.sent[connection] = 0
        self.opened += 1

    def reopen(self, connection, drips):
        self.selector.unregister(connection)
        self.sent.pop(connection, None)
        connection.close()
        self.open(drips)

    def run(self, stop, opened):
        while not stop.is_set():
            for key, _ in self.selector.select(0.2):
                try:
                    gone = not key.fileobj.recv(4096)
                except BlockingIOError:
                    gone = False
                except OSError:
                    gone = True
                if gone:
                    self.reopen(key.fileobj, key.data)
            for connection, count in list(self.sent.items()):
                try:
                    connection.send(HEADER[count : count + 1])
                    self.sent[connection] = min(count + 1, len(HEADER) - 1)
                except BlockingIOError:
                    pass
                except OSError:
                    self.reopen(connection, True)
            opened.value = self.opened


def attack(port, idle, dripping, ready, stop, opened):
    attackers = Attackers(port, idle, dripping)
    ready.set()
    attackers.run(stop, opened)


def ask(port):
    """One allowed request on a connection of its own; whether it was answered, and after how long."""
    began = time.monotonic()
    answered = False
    try:
        with socket.create_connection(("127.0.0.1", port), GIVEN_UP_SECONDS) as connection:
            connection.settimeout(GIVEN_UP_SECONDS)
            connection.sendall(
                f"GET /v1/catalogue HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            answered = connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        pass
    return answered, time.monotonic() - began


def serve(program, folder, files):
    token = os.path.join(folder, "token")
    with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(TOKEN + "\n")
    library = os.path.join(folder, "library")
    environment = {**os.environ, "STATELIB_HOME": library, "XDG_CONFIG_HOME": os.path.join(folder, "config")}
    subprocess.run([program, "init"], env=environment, check=True, stdout=subprocess.DEVNULL)
    return subprocess.Popen(
        [program, "serve", "--json", "--listen", "127.0.0.1:0", "--read-token-file", token],
        env=environment,
        stdout=subprocess.PIPE,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None,
    )


def measure(arguments, files):
    with tempfile.TemporaryDirectory() as folder:
        server = serve(arguments.program, folder, files)
        try:
            port = int(json.loads(server.stdout.readline())["url"].rsplit(":", 1)[1])
            ready, stop = multiprocessing.Event(), multiprocessing.Event()
            opened = multiprocessing.Value("l", 0)
            attacker = multiprocessing.Process(
                target=attack, args=(port, arguments.idle, arguments.dripping, ready, stop, opened), daemon=True
            )
            attacker.start()
            ready.wait()
            time.sleep(1)
            times, unanswered = [], 0
            end = time.monotonic() + arguments.seconds
            while time.monotonic() < end:
                answered, seconds = ask(port)
                times.append(seconds)
                unanswered += not answered
                time.sleep(0.05)
            stop.set()
            attacker.join()
        finally:
            server.send_signal(signal.SIGINT)
            code = server.wait(30)
    times.sort()
    print(
        f"{files or 'all'} open files: {len(times)} allowed requests beside {arguments.idle} idle and "
        f"{arguments.dripping} dripping connections ({opened.value} opened): {unanswered} not answered; "
        f"median {1000 * times[len(times) // 2]:.1f} ms, slowest {1000 * times[-1]:.1f} ms"
    )
    return unanswered == 0 and times[-1] <= ALLOWED_SECONDS and code == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--idle", type=int, default=150)
    parser.add_argument("--dripping", type=int, default=200)
    parser.add_argument("--files", type=int, default=256, help="of the second run; 0: without it")
    arguments = parser.parse_args()
    runs = [0, arguments.files] if arguments.files else [0]
    return 0 if all([measure(arguments, files) for files in runs]) else 1


if __name__ == "__main__":
    sys.exit(main())
