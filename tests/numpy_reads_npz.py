"""Classifies MNIST images with a saved network, using NumPy alone.

An independent reader of the library's .npz files: np.load without pickle, then
the forward pass of the original model in float64, with samples as columns.
Writes the most probable digit of each image, one a line.
"""

import argparse
import gzip
import struct

import numpy as np


def read_images(path):
    """The images of an IDX file, gzipped or not, as columns of 0 to 1."""
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rb") as file:
        magic, count, rows, cols = struct.unpack(">4I", file.read(16))
        if magic != 0x803:
            raise ValueError(f"{path}: expected the IDX magic 0x803, found {magic:#x}")
        pixels = np.frombuffer(file.read(), np.uint8)
    return pixels.reshape(count, rows * cols).T / 255


def forward(model, images):
    """The probabilities, a column for each image."""
    layers = sum(name.startswith("W") for name in model.files)
    activations = images
    for layer in range(1, layers + 1):
        logits = model[f"W{layer}"] @ activations + model[f"b{layer}"]
        activations = np.maximum(logits, 0)
    exponentials = np.exp(logits - logits.max(axis=0))
    return exponentials / exponentials.sum(axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL.npz")
    parser.add_argument("images", metavar="IMAGES.idx[.gz]")
    parser.add_argument("out", metavar="OUT.csv")
    args = parser.parse_args()

    with np.load(args.model, allow_pickle=False) as model:
        digits = forward(model, read_images(args.images)).argmax(axis=0)
    np.savetxt(args.out, digits, fmt="%d")


if __name__ == "__main__":
    main()
