"""What every process needs and no domain word: settings, clock, tasks, tokens, limits, logs."""
