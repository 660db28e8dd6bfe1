"""Never finishes its import, and will not be told to stop."""

import signal
import threading

signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Event().wait()
