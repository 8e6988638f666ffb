"""A provider of identities on the loopback, which signs everybody in as whom the test says; speaks OpenID Connect."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "coldlens-test"


@dataclass
class Provider:
    """Who is signed in next, and what was asked so far."""

    url: str
    user: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    nonces: dict[str, str] = field(default_factory=dict)

    def secrets_for(self, server: str, path: Path) -> Path:
        """Writes the file that makes a dashboard use this provider."""
        path.write_text(
            f'[auth]\nredirect_uri = "{server}/oauth2callback"\ncookie_secret = "{secrets.token_hex(16)}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{secrets.token_hex(16)}"\n'
            f'server_metadata_url = "{self.url}/.well-known/openid-configuration"\n'
        )
        return path


@contextmanager
def provide() -> Iterator[Provider]:
    """Starts a provider and stops it afterwards."""
    key = RSAKey.generate_key(2048, parameters={"kid": "test", "alg": "RS256", "use": "sig"})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            provider.asked.append(address.path)
            if address.path == "/authorize":
                self._send_back({name: values[0] for name, values in parse_qs(address.query).items()})
            elif address.path == "/jwks":
                self._answer({"keys": [key.as_dict(private=False)]})
            else:
                self._answer(
                    {
                        "issuer": provider.url,
                        "authorization_endpoint": f"{provider.url}/authorize",
                        "token_endpoint": f"{provider.url}/token",
                        "jwks_uri": f"{provider.url}/jwks",
                        "id_token_signing_alg_values_supported": ["RS256"],
                    }
                )

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            now = int(time.time())
            claims = {"iss": provider.url, "aud": CLIENT, "iat": now, "exp": now + 300, "sub": "1", **provider.user}
            claims["nonce"] = provider.nonces.pop(form["code"][0])
            token = jwt.encode({"alg": "RS256", "kid": "test"}, claims, key)
            self._answer({"access_token": "x", "token_type": "Bearer", "id_token": token})

        def _send_back(self, query: dict[str, str]) -> None:
            code = base64.urlsafe_b64encode(secrets.token_bytes(9)).decode()
            provider.nonces[code] = query.get("nonce", "")
            self.send_response(302)
            self.send_header(
                "Location", f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
            )
            self.end_headers()

        def _answer(self, value: dict[str, object]) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
