"""A way to the collector that loses answers, for the tests."""

import os
import socket
import threading


class Relay:
    """A way to the collector. It loses the answers on its first connection, and on the first after each lose."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self.connections = 0
        self._losing, self._open = True, []
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def lose(self):
        """Loses the next answer, on whatever connection, and ends that connection with it."""
        self._losing = True

    def _accept(self):
        pumps = []
        try:
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                host, _, port = os.environ["LOGD"].rpartition(":")
                server = socket.create_connection((host, int(port)))
                self._open += [client, server]
                pumps += [threading.Thread(target=self._pump, args=(client, server, False)),
                          threading.Thread(target=self._pump, args=(server, client, True))]
                for pump in pumps[-2:]:
                    pump.start()
        except OSError:
            pass
        for end in self._open:
            _end(end)
        for pump in pumps:
            pump.join()
        for end in self._open:
            end.close()

    def _pump(self, source, sink, answers):
        try:
            while data := source.recv(1 << 16):
                if answers and self._losing:
                    self._losing = False
                    break
                sink.sendall(data)
        except OSError:
            pass
        _end(source)
        _end(sink)


def _end(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
