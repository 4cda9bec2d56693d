"""Training some parts of a model alone."""
from typing import Any, List, Tuple, Union

from torch import nn


class FrozenParts(nn.Module):
    """A model of which parts at any depth are not trained."""
    _frozen: Tuple[str, ...] = ()

    def freeze_module(self, module: Union[List[str], Tuple[str], str]) -> None:
        """Train everything but some parts.

        mmtrack's takes top-level parts alone, and their norms go on learning
        statistics.

        Args:
            module (list[str] | tuple[str] | str): Names of parts.

        Raises:
            ValueError: If the model has no such part.
        """
        names = (module, ) if isinstance(module, str) else tuple(module)
        for name in names:
            try:
                part = self.get_submodule(name)
            except AttributeError:
                raise ValueError(
                    f'frozen_modules has {name!r}, which the model has not: '
                    'its parts are '
                    f'{[n for n, _ in self.named_children()]}') from None
            part.requires_grad_(False)
        self._frozen += names
        self.train(self.training)

    def train(self, mode: bool = True) -> Any:
        """Switch the mode of all parts but the frozen ones.

        Args:
            mode (bool): True to train. Defaults to True.

        Returns:
            nn.Module: Itself.
        """
        super().train(mode)
        for name in self._frozen:
            self.get_submodule(name).eval()
        return self
