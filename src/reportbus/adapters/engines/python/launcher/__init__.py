"""The program between the worker and a script: it starts the script, guards it, and clears up behind it.

It runs as `python -I -S` in a process of its own and imports little of the standard library and nothing else,
so that it starts in a few milliseconds. Three processes, each the parent of the next:

    launcher   reads the order, captures what the script prints, watches clock and disk, ends everything
    first      the first process of the script's namespaces; it waits for the script and tells how it ended
    script     the limits, another user, no environment, then the interpreter

The launcher ends the script as soon as the worker closes the pipe to it, or is gone. Where the launcher
itself is killed, the kernel ends the first process, and with it all the others of its namespace.
"""
