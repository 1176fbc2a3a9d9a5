"""Classifiers of `coequal.classification`: CPU seconds and accuracies on Fashion-MNIST, one thread.

python benchmarks/classifiers.py                                 # small, three seeds: two minutes
python benchmarks/classifiers.py --images 0                      # of all 50,000 training images
python benchmarks/classifiers.py --recipe resnet32 --length 0.004 --seeds 1     # some minutes
python benchmarks/classifiers.py --recipe resnet32 --images 0    # the paper's length: half a day

Accuracies are on the 10,000 test images; the interval is that of the metric `gan_train`.
"""

import time
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from itertools import pairwise

import torch

from coequal.classification import recipes
from coequal.classification.recipes import Recipe
from coequal.classification.subsets import in_fixed_order, some_of_each
from coequal.classification.training import predict, train
from coequal.datasets._loading import data_folder, load_dataset
from coequal.metrics._accuracies import accuracy


def main() -> None:
    options = _arguments()
    torch.set_num_threads(1)
    data = load_dataset("fashion_mnist", data_folder(), None, print)
    images, labels = in_fixed_order(data.train.images.whole, data.train.labels)
    if options.images:
        rows = some_of_each(labels, options.images, 0)
        images, labels = images[rows], labels[rows]
    recipe = _recipe(options)
    print(f"{recipe.description}; {len(images)} images, {recipe.steps_for(len(images))} steps")
    print("| seed | training, s of CPU | asking 10,000, s of CPU | accuracy |\n|---|---|---|---|")
    right = []
    for seed in range(options.seeds):
        times = [time.process_time()]
        classifier = train(images, labels, 10, recipe, seed)
        times.append(time.process_time())
        right.append(predict(classifier, data.test.images.whole)[:, 0] == data.test.labels)
        times.append(time.process_time())
        took = [after - before for before, after in pairwise(times)]
        share = float(right[-1].double().mean())
        print(f"| {seed} | {took[0]:.1f} | {took[1]:.1f} | {share:.4f} |", flush=True)
    value = accuracy(torch.stack(right))
    assert value.interval is not None
    print(f"\nmean {value.value:.4f}, 95 % {value.interval[0]:.4f} to {value.interval[1]:.4f}")


def _recipe(options: Namespace) -> Recipe:
    if options.recipe == "small":
        return recipes.small(options.epochs)
    return recipes.resnet32(options.length, options.flips)


def _arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", choices=recipes.NAMES, default="small")
    parser.add_argument("--images", type=int, default=12_000, help="0: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=float, default=5.0, help="of small")
    parser.add_argument("--length", type=float, default=1.0, help="of resnet32")
    parser.add_argument("--flips", action=BooleanOptionalAction, default=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
