"""Workers of parallel runs compute with one thread."""

import one_thread

one_thread.in_workers()
