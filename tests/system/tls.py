# SPDX-License-Identifier: Apache-2.0
"""Certificates, good and bad, made by the openssl command; and what a server of each kind needs."""
import os
import ssl
import subprocess
import warnings

import servers


def openssl(*arguments, at=None):
    command = ["openssl", *arguments]
    if at is not None:
        servers.forget_dead_clocks()
        command = ["faketime", at, *command]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


class Certificates:
    """A city's own authority in a directory, and servers' and clients' certificates by it."""

    def __init__(self, directory):
        self.directory = str(directory)
        os.makedirs(self.directory, exist_ok=True)
        self.ca = self.authority("ca")

    def path(self, name):
        return os.path.join(self.directory, name)

    def authority(self, name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"), "-days", "30",
                "-subj", f"/CN=City {name}")
        return self.path(name + ".pem")

    def issue(self, name, san="DNS:localhost,IP:127.0.0.1", ca="ca", at=None):
        """(certificate, key), of 30 days from now or from @at."""
        certificate, key = self.path(name + ".pem"), self.path(name + ".key")
        request, extensions = self.path(name + ".csr"), self.path(name + ".ext")
        with open(extensions, "w") as f:
            f.write(f"subjectAltName={san}\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", request, "-CA", self.path(ca + ".pem"), "-CAkey",
                self.path(ca + ".key"), "-CAcreateserial", "-days", "30", "-extfile", extensions,
                "-out", certificate, at=at)
        return certificate, key

    def good(self):
        return self.issue("good")

    def expired(self):
        return self.issue("expired", at="2020-01-01 00:00:00")

    def wrong_host(self):
        return self.issue("elsewhere", san="DNS:elsewhere.example")

    def self_signed(self):
        certificate, key = self.path("self.pem"), self.path("self.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", certificate, "-days", "30", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        return certificate, key

    def other_ca(self):
        self.authority("other")
        return self.issue("foreign", ca="other")


BAD = ["expired", "wrong_host", "self_signed", "other_ca", "tls_1_0"]


def context(pair, client_ca=None, tls_1_0=False):
    """A server's side; tls_1_0 speaks nothing newer."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if tls_1_0:
        c.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            c.minimum_version = c.maximum_version = ssl.TLSVersion.TLSv1
    c.load_cert_chain(*pair)
    if client_ca is not None:
        c.load_verify_locations(client_ca)
        c.verify_mode = ssl.CERT_REQUIRED
    return c


def bad_context(certificates, kind):
    if kind == "tls_1_0":
        return context(certificates.good(), tls_1_0=True)
    return context(getattr(certificates, kind)())
