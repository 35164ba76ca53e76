import os

import uvicorn

from .app import make_app

if __name__ == "__main__":
    # Browsers keep a stream of events open, so do not wait for it at shutdown.
    uvicorn.run(make_app(), port=int(os.environ.get("PORT", "8000")), timeout_graceful_shutdown=1)
