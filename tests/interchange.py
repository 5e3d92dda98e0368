"""Loads what the library wrote with other programs, and compares the answers.

usage: interchange.py NETWORK.onnx NETWORK.safetensors IMAGES PROBABILITIES

IMAGES and PROBABILITIES are float32, little-endian: a row for each image. Prints the
largest difference of a probability from onnxruntime's, and from those that NumPy
computes from the tensors.
"""

import sys

import numpy
import onnxruntime
from safetensors import safe_open

onnx, tensors, images, expected = sys.argv[1:]
session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
(given,), (answer,) = session.get_inputs(), session.get_outputs()
assert (given.name, given.shape[0], answer.name) == ("images", "N", "probabilities")
images = numpy.fromfile(images, dtype="<f4").reshape(-1, given.shape[1])
expected = numpy.fromfile(expected, dtype="<f4").reshape(len(images), answer.shape[1])
(found,) = session.run(None, {"images": images})
# One image is a batch too.
(alone,) = session.run(None, {"images": images[:1]})
assert numpy.abs(alone - found[:1]).max() < 1e-6

with safe_open(tensors, framework="numpy") as file:
    about = file.metadata()
    functions = {
        "linear": lambda x: x,
        "relu": lambda x: numpy.maximum(x, 0),
        "tanh": numpy.tanh,
        "sigmoid": lambda x: 1 / (1 + numpy.exp(-x)),
    }
    values = images.astype("f8")
    for layer, name in enumerate(about["activations"].split(",")):
        weight = file.get_tensor(f"layers.{layer}.weight")
        bias = file.get_tensor(f"layers.{layer}.bias")
        values = functions[name](values @ weight.T.astype("f8") + bias)
    assert about["format"] == "pt" and about["preprocessing"] == "mnist"
values /= float(about["temperature"])
values = numpy.exp(values - values.max(axis=1, keepdims=True))
values /= values.sum(axis=1, keepdims=True)
print(numpy.abs(found - expected).max(), numpy.abs(values - expected).max())
