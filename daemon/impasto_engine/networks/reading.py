"""How the features of a distilled network are compared: in the space of the network that it was distilled from.

A linear map Q takes the student's features S to the teacher's, T ≈ S Q (H. Wang et al., "Collaborative Distillation for
Ultra-Resolution Universal Style Transfer", CVPR 2020). Every loss here is a sum of squares, and squares in the
teacher's space are

    ‖ΔS Q‖² = tr(ΔS R² ΔSᵀ)    and    ‖Qᵀ ΔG Q‖² = ‖R ΔG R‖²    with R = (QQᵀ)^½,

so that R, no larger than the student, stands for Q, and Gram matrices are read after they have been summed.
"""

from dataclasses import dataclass

import numpy as np
from keras import ops
from numpy.typing import NDArray

from impasto_engine.types import Tensor

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """The reading of one tap.

    Attributes:
        matrix: R, `(c, c)` float32, symmetric.
        channels: Features that the teacher has at this tap.
    """

    matrix: NDArray[np.float32]
    channels: int

    def features(self, features: Tensor) -> Tensor:
        """`F R`: `(..., c)` float32 from features `(..., c)` of any float type."""
        return ops.matmul(ops.cast(features, "float32"), self.matrix)

    def metric(self) -> NDArray[np.float32]:
        """R², `(c, c)`: the square of a difference d of features, as it is compared, is dᵀ R² d."""
        return self.matrix @ self.matrix

    def statistics(self, mean: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """`μ R` and `R S R` from the statistics of the features as they are, `(c,)` and `(c, c)` float32."""
        return ops.matmul(mean, self.matrix), ops.matmul(self.matrix, ops.matmul(second, self.matrix))
