"""The bar of all measurements."""
from rich import progress
from rich.console import Console


def progress_bar(console: Console) -> progress.Progress:
    """Make a bar as the other tools have it.

    Args:
        console (Console): Where it is drawn.

    Returns:
        progress.Progress: Without a task yet.
    """
    return progress.Progress(
        progress.TextColumn('{task.description}'),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn('remaining'),
        progress.TimeRemainingColumn(),
        console=console)
