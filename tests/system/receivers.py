# SPDX-License-Identifier: Apache-2.0
"""Receivers of deliveries: real servers that keep what they were sent."""
import email
import email.policy
import glob
import http.server
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import urllib.request

import servers
from servers import free_port

ALERTMANAGER = shutil.which("prometheus-alertmanager", path="/usr/bin:/usr/local/bin")


class Office:
    """An HTTP(S) server. answer(event) → status, or (status, headers, body)."""

    def __init__(self, context=None, answer=lambda event: 204):
        self.requests, self.handshakes, self.answer = [], 0, answer
        self.lock = threading.Lock()
        office = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = json.loads(body)
                answer = office.answer(event)
                status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, b"")
                with office.lock:
                    office.requests.append((self.headers, body, event, status, self.path))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def get_request(self):
                office.handshakes += 1
                return super().get_request()

            def handle_error(self, request, address):
                pass

            def finish_request(self, request, address):
                if context is not None:  # on the connection's own thread
                    request = context.wrap_socket(request, server_side=True)
                super().finish_request(request, address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def url(self, scheme="http", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.port}/events?from=edge"

    def accepted(self):
        with self.lock:
            return [event for _, _, event, status, _ in self.requests if 200 <= status < 300]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


class Post:
    """aiosmtpd; reply(command, argument) → None or an SMTP reply, for RCPT and DATA."""

    def __init__(self, context=None, require=False, login=None, reply=lambda command, what: None):
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult
        self.mails, self.commands, self.reply = [], [], reply
        post = self

        class Handler:
            async def handle_EHLO(self, server, session, envelope, hostname, responses):
                session.host_name = hostname
                return responses

            async def handle_MAIL(self, server, session, envelope, address, options):
                post.commands.append("MAIL")
                envelope.mail_from = address
                return "250 OK"

            async def handle_RCPT(self, server, session, envelope, address, options):
                no = post.reply("RCPT", address)
                if no is None:
                    envelope.rcpt_tos.append(address)
                return no or "250 OK"

            async def handle_DATA(self, server, session, envelope):
                no = post.reply("DATA", envelope.content)
                if no is None:
                    post.mails.append((session.ssl is not None, list(envelope.rcpt_tos),
                                       email.message_from_bytes(envelope.content,
                                                                policy=email.policy.default)))
                return no or "250 kept"

        def authenticate(server, session, envelope, mechanism, data):
            post.commands.append("AUTH")
            return AuthResult(success=login == (data.login.decode(), data.password.decode()))

        self.controller = Controller(Handler(), hostname="127.0.0.1", port=free_port(),
                                     tls_context=context, require_starttls=require,
                                     auth_required=login is not None,
                                     auth_require_tls=context is not None,
                                     authenticator=authenticate)
        self.controller.start()
        self.port = self.controller.port

    def stop(self):
        self.controller.stop()


class Sink:
    """A TLS server that keeps whatever it is told once the handshake is done."""

    def __init__(self, context):
        self.context, self.told, self.calls = context, b"", 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            try:
                peer.settimeout(5)
                with self.context.wrap_socket(peer, server_side=True) as tls:
                    self.told += tls.recv(4096)
            except OSError:
                pass

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)


class Alertmanager(servers.Process):
    """Debian's prometheus-alertmanager, alone."""

    def __init__(self, directory):
        super().__init__(directory)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = os.path.join(self.directory, "alertmanager.yml")
        with open(self.config, "w") as f:
            f.write("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")

    def start(self):
        self.run([ALERTMANAGER, f"--config.file={self.config}", f"--storage.path={self.directory}",
                  f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="])
        servers.wait_until(self.answers, 30, "alertmanager answering")
        return self

    def answers(self):
        try:
            return self.alerts() is not None
        except OSError:
            return False

    def alerts(self):
        """Those that fire; what is over is not listed."""
        with urllib.request.urlopen(self.url + "/api/v2/alerts", timeout=10) as answer:
            return json.load(answer)


class Postgres:
    """Debian's PostgreSQL with one database, city, and the registry's schema in it."""

    BIN = max(glob.glob("/usr/lib/postgresql/*/bin"), default=None)

    def __init__(self, schema, pair=None):
        self.directory = tempfile.mkdtemp(prefix="ducha-city-")  # the server is not root, we may be
        self.data, self.port, self.process = f"{self.directory}/data", free_port(), None
        self.own(self.directory)
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync",
                 "-E", "UTF8", "--locale=C")
        with open(f"{self.data}/pg_hba.conf", "w") as f:
            f.write("local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self.options = ["-c", "fsync=off"]
        for name, path in zip(("cert", "key"), pair or ()):
            shutil.copy(path, f"{self.directory}/{name}")
            os.chmod(f"{self.directory}/{name}", 0o600)
            self.own(f"{self.directory}/{name}")
            self.options += ["-c", f"ssl_{name}_file={self.directory}/{name}"]
        self.options += ["-c", f"ssl={'on' if pair else 'off'}"]
        self.start()
        self.psql("CREATE DATABASE city", "postgres")
        self.run("psql", "-h", self.directory, "-p", str(self.port), "-U", "postgres", "-q",
                 "-v", "ON_ERROR_STOP=1", "-d", "city", "-f", "-", input=open(schema).read())

    @staticmethod
    def own(path):
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")

    @staticmethod
    def command(*arguments):
        drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        return [*(drop if os.geteuid() == 0 else []), f"{Postgres.BIN}/{arguments[0]}",
                *arguments[1:]]

    def run(self, *arguments, **more):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60,
                              cwd="/", **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self):
        with open(f"{self.directory}/log", "ab") as log:
            self.process = subprocess.Popen(
                self.command("postgres", "-D", self.data, "-h", "127.0.0.1", "-p", str(self.port),
                             "-k", self.directory, *self.options), stdout=log, stderr=log, cwd="/")
        servers.wait_until(lambda: subprocess.run(
            self.command("pg_isready", "-q", "-h", self.directory, "-p", str(self.port)),
            cwd="/").returncode == 0, 30, "PostgreSQL answering")

    def psql(self, sql, database="city"):
        """Rows of texts."""
        out = self.run("psql", "-h", self.directory, "-p", str(self.port), "-U", "postgres",
                       "-v", "ON_ERROR_STOP=1", "-d", database, "-At", "-F", "\t", "-c", sql)
        return [line.split("\t") for line in out.splitlines()]

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory)


class Relay:
    """A wire to a port of this machine that can be cut: then calls are taken and nothing comes."""

    def __init__(self, port):
        self.target, self.cut, self.pairs = port, False, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            far = None if self.cut else socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)) if far else ():
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def carry(self, a, b):
        try:
            while data := a.recv(65536):
                if not self.cut:
                    b.sendall(data)
        except OSError:
            pass
        b.close()

    def restore(self):
        self.cut = False
        for pair in self.pairs:
            for end in filter(None, pair):
                end.close()
        self.pairs = []

    def stop(self):
        self.cut = True
        self.restore()
        self.socket.close()


class Gate:
    """A wire to a receiver on this machine that fails on request, when `marker` (bytes that stand in
    each event's message) goes by:

    pass   as a wire does
    down   nobody listens
    reset  the connection is reset; the receiver does not get the message whole
    mute   the receiver gets the message, and the connection is reset instead of its answer
    stall  nothing goes on, and the connection stays
    say    `said` is the answer, and the receiver hears nothing of it
    """

    def __init__(self, port, marker):
        self.target, self.marker, self.mode, self.said, self.met = port, marker, "down", b"", 0
        self.port, self.socket, self.pairs = free_port(), None, []
        self.set("pass")

    def set(self, mode, said=b""):
        """What is under way when nobody listens any more is reset."""
        self.said, self.mode = said, mode
        if mode == "down":
            self.close()
        elif self.socket is None:
            self.socket = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self.serve, args=(self.socket,), daemon=True).start()

    def close(self):
        listening, self.socket = self.socket, None
        if listening is not None:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for pair in self.pairs:
            self.reset(*pair)
        self.pairs = []

    @staticmethod
    def reset(*ends):
        for end in ends:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RD)  # wakes whoever reads it
            except OSError:
                pass
            end.close()

    def serve(self, listening):
        while True:
            try:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            wire = {"muted": False}
            self.pairs.append((near, far))
            for carry in (self.out, self.back):
                threading.Thread(target=carry, args=(near, far, wire), daemon=True).start()

    def out(self, near, far, wire):
        tail = b""
        try:
            while data := near.recv(65536):
                met = self.marker in tail + data
                tail = (tail + data)[-len(self.marker) + 1:]
                mode = self.mode if met else "pass"
                self.met += met
                if mode == "reset":
                    return self.reset(near, far)
                if mode == "say":
                    return self.say(near, far)
                if mode == "stall":
                    while near.recv(65536):
                        pass
                    break
                wire["muted"] = wire["muted"] or mode == "mute"
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def say(self, near, far):
        near.sendall(self.said)
        near.shutdown(socket.SHUT_WR)
        while near.recv(65536):
            pass
        self.reset(far, near)

    def back(self, near, far, wire):
        try:
            while data := far.recv(65536):
                if wire["muted"]:
                    return self.reset(near, far)
                near.sendall(data)
            near.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.set("down")
