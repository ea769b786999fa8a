"""What a Sallyport server has revoked, in the memory of a Python process. Standard library only.

It follows the feed (docs/feed-protocol.md), so that a verified token can be held against the present: is its session
dead, its user signed out, its key gone? Verifying signatures is left to a JWT library.

    feed = Feed("https://auth.example.com", credential)
    feed.start()
    ...
    if feed.is_revoked(claims, kid):   # raises Stale when nobody can tell: answer 503, never 401
        ...
"""

import http.client
import json
import secrets
import struct
import sys
import threading
import time
import urllib.parse

SESSION, USER, ORGANISATION, CLIENT, EVERYTHING, KEY, ROLE, USER_ROLES, TOKEN = range(1, 10)
PACKED = (SESSION, USER, TOKEN)
CRITICAL, ACKNOWLEDGE = 1, 2


class Stale(Exception):
    """What is known is too old to say anything. The token may be good: answer 503 with Retry-After."""


class Resync(Exception):
    """The stream cannot go on from where this guard is: the snapshot has to be taken."""


def half_sip_hash(key, message):
    """HalfSipHash-2-4 of 64 bits, as one number."""
    k0, k1 = struct.unpack("<II", key)
    v0, v1, v2, v3 = k0, k1 ^ 0xEE, 0x6C796765 ^ k0, 0x74656462 ^ k1
    padded = message + bytes(3 - len(message) % 4) + bytes([len(message) % 256])

    def rotate(word, bits):
        return (word << bits | word >> 32 - bits) & 0xFFFFFFFF

    def rounds(count):
        nonlocal v0, v1, v2, v3
        for _ in range(count):
            v0 = (v0 + v1) & 0xFFFFFFFF
            v1 = rotate(v1, 5) ^ v0
            v0 = rotate(v0, 16)
            v2 = (v2 + v3) & 0xFFFFFFFF
            v3 = rotate(v3, 8) ^ v2
            v0 = (v0 + v3) & 0xFFFFFFFF
            v3 = rotate(v3, 7) ^ v0
            v2 = (v2 + v1) & 0xFFFFFFFF
            v1 = rotate(v1, 13) ^ v2
            v2 = rotate(v2, 16)

    for (word,) in struct.iter_unpack("<I", padded):
        v3 ^= word
        rounds(2)
        v0 ^= word
    v2 ^= 0xEE
    rounds(4)
    low = v1 ^ v3
    v1 ^= 0xDD
    rounds(4)
    return (v1 ^ v3) << 32 | low


class Knowledge:
    """The entries that are alive, up to `head`, in one incarnation of the log."""

    def __init__(self, incarnation, hash_key, head):
        self.incarnation, self.hash_key, self.head = incarnation, hash_key, head
        self.packed = {}  # hash of kind and key -> (sequence, expires_at)
        self.others = {}  # (kind, key) -> (sequence, expires_at, data)
        self.unsupported = None

    @classmethod
    def from_snapshot(cls, data):
        """Reads a snapshot. Its proof is not looked at: it came over TLS straight from the issuer."""
        if data[:4] != b"SPF1":
            raise ValueError("not a snapshot of version 1")
        (length,) = struct.unpack_from("<I", data, 4)
        header = json.loads(data[8 : 8 + length])
        knowledge = cls(header["inc"], bytes.fromhex(header["hash_key"]), header["head"])
        offset = (8 + length + 15) // 16 * 16
        end = offset + 16 * header["count"]
        for low, high, before_head, expires_at in struct.iter_unpack("<IIII", data[offset:end]):
            knowledge._pack(high << 32 | low, header["head"] - before_head, expires_at)
        (length,) = struct.unpack_from("<I", data, end)
        for entry in json.loads(data[end + 4 : end + 4 + length]):
            knowledge.apply(*entry)
        return knowledge

    def apply(self, sequence, kind, key, expires_at, flags, data=None):
        if kind in PACKED:
            self._pack(self._hash(kind, key), sequence, expires_at)
        elif kind <= TOKEN:
            if self.others.get((kind, key), (0,))[0] < sequence:
                self.others[kind, key] = (sequence, expires_at, data)
        elif flags & CRITICAL:
            self.unsupported = kind
        self.head = max(self.head, sequence)

    def is_hit(self, kind, key, af):
        """Whether an entry of this kind about this key came after a token was made."""
        if not isinstance(key, str):
            return False
        found = self.packed.get(self._hash(kind, key)) if kind in PACKED else self.others.get((kind, key))
        return found is not None and af < found[0]

    def is_revoked(self, claims, kid, af):
        dead = [(SESSION, "sid"), (USER, "sub"), (ORGANISATION, "o"), (CLIENT, "client_id"), (TOKEN, "jti")]
        return (
            (KEY, kid) in self.others
            or self.is_hit(EVERYTHING, "", af)
            or any(self.is_hit(kind, claims.get(claim), af) for kind, claim in dead)
        )

    def sweep(self, now):
        """Forgets what concerns no living token any more."""
        for table in (self.packed, self.others):
            for name in [name for name, entry in table.items() if 0 < entry[1] < now - 60]:
                del table[name]

    def _pack(self, name, sequence, expires_at):
        if self.packed.get(name, (0,))[0] < sequence:
            self.packed[name] = (sequence, expires_at)

    def _hash(self, kind, key):
        return half_sip_hash(self.hash_key, bytes([kind]) + key.encode())


class Feed:
    """Follows the feed of an issuer in threads of its own."""

    def __init__(self, issuer, credential, lease=30):
        self._url = urllib.parse.urlsplit(issuer.rstrip("/"))
        self._credential, self._lease = credential, lease
        self._guard = secrets.token_urlsafe(12)
        self._changed = threading.Condition()
        self._knowledge = None
        self._former = []  # (knowledge of another history, until when tokens of it were made)
        self._fresh = None  # by both clocks: one stands still while the machine sleeps, the other can be set back
        self._pings = {}
        self._acknowledge = threading.Event()
        self._closed = False

    def start(self):
        threading.Thread(target=self._follow, daemon=True).start()

    def close(self):
        self._closed = True

    @property
    def staleness(self):
        """For how many seconds nothing new can have become known; infinite before anything is."""
        return self._since(self._fresh)

    def wait_until_ready(self, timeout=10):
        with self._changed:
            return self._changed.wait_for(self._is_ready, timeout)

    def is_revoked(self, claims, kid=None):
        """Whether a verified token is dead by now. Raises Stale when that cannot be said."""
        asked = self._now()
        with self._changed:
            self._require_ready()
            af = claims.get("af", 0)
            if af > self._knowledge.head:
                # Made after everything known here: this guard is behind, or that part of the log was lost.
                self._changed.wait_for(lambda: af <= self._knowledge.head or self._is_newer(asked), 2)
                self._require_ready()
                if af > self._knowledge.head:
                    if not self._is_newer(asked):
                        raise Stale("entries are missing")
                    af = 0
            if self._knowledge.is_revoked(claims, kid, af):
                return True
            made, stated = claims.get("iat", 0), claims.get("af", 0)
            return any(made <= until and former.is_revoked(claims, kid, stated) for former, until in self._former)

    def _is_ready(self):
        return self._knowledge is not None and not self._knowledge.unsupported and self.staleness <= self._lease

    def _require_ready(self):
        if self._knowledge is not None and self._knowledge.unsupported:
            raise Stale(f"entries of kind {self._knowledge.unsupported} are critical and unknown: upgrade")
        if not self._is_ready():
            raise Stale(f"nothing was heard for {self.staleness:.1f} s")

    @staticmethod
    def _now():
        return time.monotonic(), time.time()

    def _since(self, moment):
        return float("inf") if moment is None else max(now - then for now, then in zip(self._now(), moment))

    def _is_newer(self, moment):
        return self._fresh is not None and self._fresh[0] > moment[0]

    # Following: whatever goes wrong, begin again after a pause. What is known stays, and grows stale.

    def _follow(self):
        needs_snapshot, pause = True, 0.05
        while not self._closed:
            try:
                if needs_snapshot:
                    self._take_snapshot()
                    needs_snapshot = False
                self._read_stream()
            except Resync:
                needs_snapshot = True
            except (OSError, http.client.HTTPException, ValueError) as error:
                print(f"feed: {error}", file=sys.stderr)
            pause = 0.05 if self.staleness < 1 else min(2 * pause, 2)
            time.sleep(pause)

    def _take_snapshot(self):
        with self._request("GET", "/feed/snapshot") as answer:
            taken = Knowledge.from_snapshot(answer.read())
        with self._changed:
            known = self._knowledge
            if known is not None and (taken.incarnation != known.incarnation or taken.head < known.head):
                # The database was restored: what was revoked stays so until its tokens have expired.
                self._former.append((known, time.time()))
            self._knowledge = taken
            self._changed.notify_all()

    def _read_stream(self):
        known = self._knowledge
        query = {"cursor": self._cursor(), "guard": self._guard, "lease": self._lease}
        with self._request("GET", "/feed?" + urllib.parse.urlencode(query), accept="text/event-stream") as answer:
            pinging = threading.Event()
            try:
                for name, data in self._events(answer):
                    if name == "hello":
                        if not data["min"] <= 1 <= data["v"]:
                            raise ValueError("the server speaks another version: upgrade")
                        same = data["inc"] == known.incarnation and data["hash_key"] == known.hash_key.hex()
                        if not same or data["head"] < known.head:
                            raise Resync
                        threading.Thread(target=self._ping, args=(pinging,), daemon=True).start()
                    elif name == "c":
                        self._take_entry(known, data)
                    elif name == "echo":
                        self._take_echo(known, data)
                    elif name == "resync":
                        raise Resync
                    elif name == "bye":
                        time.sleep(data["retry"] / 1000)
                        return
            finally:
                pinging.set()

    @staticmethod
    def _events(answer):
        event = {}
        while line := answer.readline().decode():
            field, _, value = line.rstrip("\n").partition(": ")
            if field == "" and "data" in event:
                yield event["event"], json.loads(event["data"])
            event = {} if field == "" else {**event, field: value}

    def _take_entry(self, known, entry):
        sequence = entry[0]
        if sequence <= known.head:
            return
        if sequence != known.head + 1:
            raise Resync
        with self._changed:
            known.apply(*entry)
            self._changed.notify_all()
        if entry[4] & ACKNOWLEDGE:
            self._acknowledge.set()

    def _take_echo(self, known, echo):
        with self._changed:
            sent = self._pings.pop(echo["n"], None)
            if sent is not None and echo["head"] == known.head:
                fresh = tuple(moment - echo["age"] / 1000 for moment in sent)
                if self._fresh is None or fresh[0] > self._fresh[0]:
                    self._fresh = fresh
            known.sweep(time.time())
            self._changed.notify_all()

    def _ping(self, ended):
        """Pings once a second, and at once when somebody waits for an entry."""
        number = 0
        while not ended.is_set():
            number += 1
            with self._changed:
                self._pings = {n: sent for n, sent in self._pings.items() if n > number - 60}
                self._pings[number] = self._now()
            body = {"guard": self._guard, "n": number, "cursor": self._cursor()}
            try:
                with self._request("POST", "/feed/ping", json.dumps(body)):
                    pass
            except (OSError, http.client.HTTPException, ValueError):
                pass  # The next one makes up for it; the stream tells for itself when it ends.
            self._acknowledge.wait(1)
            self._acknowledge.clear()

    def _cursor(self):
        return f"{self._knowledge.incarnation}.{self._knowledge.head}"

    def _request(self, method, path, body=None, accept="*/*"):
        secure = self._url.scheme == "https"
        connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(self._url.netloc, timeout=20)
        headers = {"Authorization": f"Bearer {self._credential}", "Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, self._url.path + path, body, headers)
        answer = connection.getresponse()
        if answer.status >= 400:
            connection.close()
            raise ValueError(f"{method} {path.partition('?')[0]} was answered {answer.status}")
        return answer
