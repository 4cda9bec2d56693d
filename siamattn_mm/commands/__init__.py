"""What the ``siamattn`` command runs, one module a command.

Each has ``main(argv, prog) -> int``:

- ``argv`` (Sequence[str], optional): its arguments; None takes those of this
  program;
- ``prog`` (str): what messages call the program;
- what comes back is the exit code. Wrong arguments, and whatever else the
  user can mend, leave by ``SystemExit`` with code 2 and one line on stderr.

``siamattn_cli`` lists them; ``tools/*.py`` are doors to the same.
"""
