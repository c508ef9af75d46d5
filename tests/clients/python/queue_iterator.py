"""The request side of a stream that is written step by step."""

import queue


class QueueIterator:
    """What is put comes out of the iterator; after close() the iterator ends.

    grpcio reads requests on a thread of its own, so leaving the `with` block always closes: an
    abandoned RPC must not leave that thread waiting.
    """

    _END = object()

    def __init__(self):
        self._queue = queue.Queue()

    def put(self, item):
        self._queue.put(item)

    def close(self):
        self._queue.put(self._END)

    def __iter__(self):
        return self

    def __next__(self):
        item = self._queue.get()
        if item is self._END:
            raise StopIteration
        return item

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
