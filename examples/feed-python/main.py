"""Reads verified claims as JSON, one line each, and says what the feed knows of them: good, revoked or unknown."""

import json
import os
import sys

from sallyport_feed import Feed, Stale

feed = Feed(os.environ["ISSUER"], os.environ["FEED_CREDENTIAL"], int(os.environ.get("LEASE", "30")))
feed.start()
print("ready" if feed.wait_until_ready(30) else "not ready", flush=True)

for line in sys.stdin:
    token = json.loads(line)
    try:
        print("revoked" if feed.is_revoked(token["claims"], token.get("kid")) else "good", flush=True)
    except Stale as reason:
        print(f"unknown: {reason}", flush=True)
