# SPDX-License-Identifier: Apache-2.0
"""Receivers of deliveries: real servers that keep what they were sent."""
import http.server
import json
import threading


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
