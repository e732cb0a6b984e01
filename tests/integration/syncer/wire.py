"""A TCP wire between the syncer and the API server that can be cut, or forgotten as a firewall does it."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import Self

import yaml

from sandbox.layout import HOST, Layout


@dataclass(slots=True)
class Wire:
    """Passes bytes on to the API server of `layout`; `port` is where it listens.

    `cut` closes the connections of now, `forget` leaves them open and passes nothing on any more.
    New ones work as before.
    """

    layout: Layout
    port: int = 0
    _listener: socket.socket = field(init=False)
    _pairs: list["_Pair"] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def kubeconfig(self) -> str:
        """The administrator's kubeconfig, by this wire."""
        config = yaml.safe_load(self.layout.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://{HOST}:{self.port}"
        path = self.layout.directory / f"kubeconfig-{self.port}"
        path.write_text(yaml.safe_dump(config))
        return str(path)

    def cut(self) -> None:
        for pair in self._pairs:
            pair.close()
        self._pairs.clear()

    def forget(self) -> None:
        for pair in self._pairs:
            pair.forgotten = True

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection((HOST, self.layout.apiserver_port))
                except OSError:
                    client.close()
                    continue
                self._pairs.append(_Pair(client, server))


class _Pair:
    """One connection and the one that it is passed on by."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.forgotten = False
        self._ends = (client, server)
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self.forgotten:
                    sink.sendall(data)
        if not self.forgotten:
            self.close()
