"""Start Field Notes with the demonstration: read its client id and secret from demo.json."""

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn


def main() -> None:
    demo = json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else "var/demo/demo.json").read_text())
    application = demo["web_app"]
    callback = urlsplit(application["redirect_uri"])
    os.environ["VITRINE_SERVER"] = demo["base_url"]
    os.environ["FIELD_NOTES_ORIGIN"] = f"{callback.scheme}://{callback.netloc}"
    os.environ["FIELD_NOTES_CLIENT_ID"] = application["client_id"]
    os.environ["FIELD_NOTES_CLIENT_SECRET"] = application["client_secret"]
    sys.path.insert(0, str(Path(__file__).parent))
    print(f"Field Notes is at {os.environ['FIELD_NOTES_ORIGIN']}, showing documents of {demo['base_url']}")
    uvicorn.run("app:app", host=callback.hostname or "127.0.0.1", port=callback.port or 8001, log_level="warning")


if __name__ == "__main__":
    main()
