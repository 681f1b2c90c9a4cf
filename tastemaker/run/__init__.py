"""The main job: from a log to a run directory, and answers from one."""
