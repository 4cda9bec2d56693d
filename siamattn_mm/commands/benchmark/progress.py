"""The bar of all measurements."""
from rich import progress
from rich.console import Console


def progress_bar(console: Console) -> progress.Progress:
    """As the other tools have it."""
    return progress.Progress(
        progress.TextColumn('{task.description}'),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn('remaining'),
        progress.TimeRemainingColumn(),
        console=console)
