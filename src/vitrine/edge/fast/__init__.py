"""The fast paths of HTTP: mechanism only, nothing here knows what is answered (docs/decisions/0087).

- `protocol`: uvicorn's protocol, which also takes a complete response in one call, and asks before it makes a task;
- `dispatcher`: from a path to its route without Starlette's walk;
- `encoded_headers`: header lines that are checked and encoded once;
- `responses`: the response whose headers are bytes, and the message that carries a complete one.

The setting `fast_paths` switches all of them off together; every answer stays the same.
"""
