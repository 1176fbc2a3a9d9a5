"""Train the encoders whose weights come with the package again, and compare.

    python scripts/train_encoders.py classifier:mnist corners:triangles

Each is trained from nothing, on one thread, into a folder that is removed afterwards. Another
processor may round the training to other weights: that is said, and no reason to replace the ones
that are there, since every published number was measured with them. `--write` puts weights of a
further dataset, or of a changed recipe, into the package; a file that is there it leaves alone.
"""

import argparse
import hashlib
import inspect
import tempfile
from pathlib import Path

import torch

from coequal import lookup
from coequal.contract import Dataset, Encoder
from coequal.datasets._loading import data_folder, load_dataset
from coequal.files import write_new


def main() -> None:
    """Train each encoder that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("of", nargs="+", help="ENCODER:DATA, as in classifier:mnist")
    parser.add_argument("--data-dir", help="the folder of the datasets")
    parser.add_argument("--write", action="store_true", help="add what the package has not")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    for name, _, data in (text.partition(":") for text in options.of):
        dataset = load_dataset(data, data_folder(options.data_dir))
        retrain(lookup.load_class("encoders", name, Encoder), dataset, options.write)


def retrain(kind: type[Encoder], dataset: Dataset, write: bool) -> None:
    """Train an encoder of a dataset, and say how it compares with the package's.

    Raises:
        ValueError: The encoder is not one that is trained here, or not for this dataset.
    """
    reason = kind.unsupported_reason(dataset)
    file = None if reason else kind.weights_name(dataset)
    if file is None:
        raise ValueError(reason or f"{kind.__name__} is not trained here")
    shipped = Path(inspect.getfile(kind)).parent / "weights" / file
    with tempfile.TemporaryDirectory() as cache:
        encoder = kind.prepare(dataset, Path(cache), lambda line: None)
        content = (Path(cache) / "encoders" / file).read_bytes()
    if shipped.exists():
        known = kind.restored(dataset, shipped).id
        same = "the same" if known == encoder.id else f"another: the package has {known}"
    else:
        same = "new, and written" if write and write_new(shipped, content) else "new"
    print(f"{dataset.name}: {encoder.id} ({encoder.note}), {same}")
    print(f"  {file}, {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
