"""A host with the metadata document of a client, behind TLS by an authority of its own.

    documents.py CA_FILE

writes the authority's certificate, says in one line of JSON where the document is, and serves it.
"""

import datetime
import json
import ssl
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)


def certificate(name, key, issuer, issuer_key, extension):
    """A certificate for today."""
    named = lambda name: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(named(issuer), named(name), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(NOW + datetime.timedelta(days=1))
    return builder.add_extension(extension, critical=True).sign(issuer_key, hashes.SHA256())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def tls(ca_file):
    """TLS for localhost, by an authority whose certificate goes to `ca_file`."""
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    is_authority = x509.BasicConstraints(ca=True, path_length=0)
    Path(ca_file).write_bytes(pem(certificate("interop", authority, "interop", authority, is_authority)))
    localhost = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    leaf = pem(certificate("localhost", key, "interop", authority, localhost))
    form = serialization.PrivateFormat.PKCS8
    with tempfile.NamedTemporaryFile() as chain:
        chain.write(leaf + key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        chain.flush()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain.name)
        return context


class Documents(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        text = json.dumps({
            "client_id": url,
            "client_name": "An MCP client",
            "redirect_uris": ["http://localhost/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


server = ThreadingHTTPServer(("127.0.0.1", 0), Documents)
server.socket = tls(sys.argv[1]).wrap_socket(server.socket, server_side=True)
host = f"localhost:{server.server_address[1]}"
url = f"https://{host}/client.json"
print(json.dumps({"ready": True, "host": host, "url": url}), flush=True)
server.serve_forever()
