"""Media: keep files (`storage`) and find out what they are (`worker`, in a process of its own)."""
