"""The Inception net that FID is defined with: TensorFlow's of 2015-12-05, with 1008 outputs.

Source: Szegedy et al. 2015, arXiv:1512.00567, as frozen in TensorFlow's inception-2015-12-05.tgz.
It is torchvision's net but for its pools: averages leave the padding out of the count, and the last
block takes the maximum. Parameters have the names of the weights converted for torch
(pt_inception-2015-12-05), which are torchvision's.
"""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn
from torch.nn import functional

from coequal.encoders._batches import folded

OUTPUTS = 1008  # 1000 classes of ImageNet at 1 .. 1000; the others were never trained on


SPATIAL_BRANCH = "Mixed_6d.branch1x1.bn"  # before the ReLU of TensorFlow's mixed_6/conv
SPATIAL_CHANNELS = 7


class Inception(fx.GraphModule):
    """Float images (n, 3, 299, 299), about -1 to 1, to 2048 features: pool3 of the graph.

    Args:
        spatial: whether the first 7 channels of mixed_6/conv come out instead, (n, 17 * 17 * 7) in
            TensorFlow's order: rows, columns, channels.
    """

    fc: nn.Linear

    def __init__(self, spatial: bool = False) -> None:
        from torchvision.models import Inception3  # here: it takes a second to import

        net = Inception3(num_classes=OUTPUTS, aux_logits=False, init_weights=False)
        graph = fx.Tracer().trace(net)
        *averages, last = graph.find_nodes(op="call_function", target=functional.avg_pool2d)
        for node in averages:
            node.update_kwarg("count_include_pad", False)
        last.target = functional.max_pool2d
        # The features come out; the last layer stays with its weights, and is not called any more.
        (features,) = graph.find_nodes(op="call_function", target=torch.flatten)
        (output,) = graph.find_nodes(op="output")
        output.update_arg(0, _spatial(graph) if spatial else features)
        super().__init__(net, graph)
        self.graph.eliminate_dead_code()
        self.recompile()

    def logits(self, features: Float[Tensor, "n 2048"]) -> Float[Tensor, "n 1008"]:
        """The last layer without its bias: so the Inception Score has been computed from the
        start."""
        return features @ self.fc.weight.T


def _spatial(graph: fx.Graph) -> fx.Node:
    """The spatial features as a node of the graph."""
    (norm,) = graph.find_nodes(op="call_module", target=SPATIAL_BRANCH)
    (relu,) = norm.users
    with graph.inserting_after(relu):
        node = graph.call_function(_by_place, (relu,))
    return node


def _by_place(maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
    """The first channels of the maps, those of each place together."""
    return maps[:, :SPATIAL_CHANNELS].permute(0, 2, 3, 1).flatten(1)


def built(weights: Mapping[str, Tensor], spatial: bool = False) -> Inception:
    """The net with these weights, made for speed: BatchNorm folded, channels last.

    Args:
        weights: by name.
        spatial: see `Inception`.

    Raises:
        RuntimeError: a name or a shape is not the net's.
    """
    with torch.device("meta"):  # no time and no random number for weights that are replaced
        net = Inception(spatial)
    net.load_state_dict(weights, assign=True)
    net.eval().requires_grad_(False)
    blocks: list[Any] = [block for block in net.modules() if hasattr(block, "bn")]
    for block in blocks:
        block.conv, block.bn = folded(block.conv, block.bn), nn.Identity()
    return net.to(memory_format=torch.channels_last)
