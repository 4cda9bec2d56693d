"""The siamese neck that does nothing: plain SiamRPN++."""
from typing import Any, Optional, Tuple

from mmengine.model import BaseModule
from mmtrack.registry import MODELS
from torch import Tensor

Feats = Tuple[Tensor, ...]


@MODELS.register_module()
class IdentitySiameseNeck(BaseModule):
    """Leave both branches as they are.

    It also shows the interface of a siamese neck: ``init_template`` computes
    once what depends on the template alone, ``forward`` takes both branches.
    """

    def init_template(self, template_feats: Feats) -> Any:
        """Compute what depends on the template alone.

        Args:
            template_feats (tuple[Tensor]): Template maps, each (N, C, H, W).

        Returns:
            Any: State that :meth:`forward` takes. None here.
        """
        return None

    def forward(self,
                template_feats: Feats,
                search_feats: Feats,
                template_state: Optional[Any] = None) -> Tuple[Feats, Feats]:
        """Return the inputs.

        Args:
            template_feats (tuple[Tensor]): Template maps, each (N, C, H, W).
            search_feats (tuple[Tensor]): Search maps, each (N, C, H', W').
            template_state (Any, optional): From :meth:`init_template`.

        Returns:
            tuple[tuple[Tensor], tuple[Tensor]]: Template and search maps.
        """
        return template_feats, search_feats
