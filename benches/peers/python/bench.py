"""The peers of digit-recognizer in Python, and digit-recognizer, on the same work.

Prints Markdown tables, as the program `peers` does. Every measurement is a
process of its own, and every round runs each competitor once, in turn.
"""

import argparse
import gzip
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

THREADS = (1, 2)
OURS = "ours"
LEAST_ACCURACY = {"training": 0.93, "original": 0.7}

# What `peers train-once` calls a job; the jobs here are the same.
TRAININGS = {
    "784-128-10, batch 64": dict(images=60_000, hidden=128, batch=64),
    "784-512-10, batch 128": dict(images=60_000, hidden=512, batch=128),
}
MOMENTUM = dict(epochs=1, learning_rate=0.05, momentum=0.9)
ORIGINAL = dict(images=42_000, hidden=10, batch=42_000, epochs=500, learning_rate=0.1, momentum=0.0)


# The work


def read_idx(folder, name):
    """The elements of an IDX file, plain or gzipped, without their shape."""
    import numpy as np

    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            dimensions = content[3]
            return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    sys.exit(f"{folder} has no {name}")


def load(folder, split):
    images = read_idx(folder, f"{split}-images-idx3-ubyte").reshape(-1, 784)
    return images, read_idx(folder, f"{split}-labels-idx1-ubyte")


def initial(hidden):
    """He's normal weights, (inputs, outputs), and zero biases."""
    import numpy as np

    rng = np.random.default_rng(42)

    def layer(inputs, outputs):
        weights = rng.standard_normal((inputs, outputs), np.float32) * np.float32((2 / inputs) ** 0.5)
        return [weights, np.zeros(outputs, np.float32)]

    return layer(784, hidden) + layer(hidden, 10)


def softmax(logits):
    import numpy as np

    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def numpy_forward(images, w1, b1, w2, b2):
    import numpy as np

    hidden = np.maximum(images @ w1 + b1, 0)
    return hidden, softmax(hidden @ w2 + b2)


def train_numpy(parameters, images, labels, job):
    import numpy as np

    rate, momentum = np.float32(job["learning_rate"]), np.float32(job["momentum"])
    velocities = [np.zeros_like(parameter) for parameter in parameters]
    rng = np.random.default_rng(42)
    for _ in range(job["epochs"]):
        order = rng.permutation(len(images))
        for start in range(0, len(order), job["batch"]):
            batch = order[start : start + job["batch"]]
            x = images[batch].astype(np.float32)
            x *= np.float32(1 / 255)
            hidden, error = numpy_forward(x, *parameters)
            error[np.arange(len(batch)), labels[batch]] -= 1
            error /= len(batch)
            hidden_error = error @ parameters[2].T
            hidden_error *= hidden > 0
            gradients = (x.T @ hidden_error, hidden_error.sum(0), hidden.T @ error, error.sum(0))
            for parameter, velocity, gradient in zip(parameters, velocities, gradients):
                velocity *= momentum
                gradient *= rate
                velocity -= gradient
                parameter += velocity
    return parameters


def torch_model(parameters):
    import torch
    from torch import nn

    hidden = len(parameters[1])
    model = nn.Sequential(nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    with torch.no_grad():
        for layer, weights, bias in ((model[0], *parameters[:2]), (model[2], *parameters[2:])):
            layer.weight.copy_(torch.from_numpy(weights.T))
            layer.bias.copy_(torch.from_numpy(bias))
    return model


def train_torch(parameters, images, labels, job):
    import torch
    from torch.nn import functional

    model = torch_model(parameters)
    images, labels = torch.from_numpy(images), torch.from_numpy(labels)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=job["learning_rate"], momentum=job["momentum"], fused=True
    )
    for _ in range(job["epochs"]):
        for batch in torch.randperm(len(images)).split(job["batch"]):
            logits = model(images[batch].float().div_(255))
            loss = functional.cross_entropy(logits, labels[batch].long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        layers = (model[0], model[2])
        return [p.numpy() for layer in layers for p in (layer.weight.T, layer.bias)]


def train_student(images, labels, job):
    """Full-batch gradient descent in float64, one column an image."""
    import numpy as np

    x, count = images.T / 255.0, len(images)
    rng = np.random.default_rng(42)
    w1, b1 = rng.random((job["hidden"], 784)) - 0.5, rng.random((job["hidden"], 1)) - 0.5
    w2, b2 = rng.random((10, job["hidden"])) - 0.5, rng.random((10, 1)) - 0.5
    one_hot = np.eye(10)[labels].T
    for _ in range(job["epochs"]):
        z1 = w1 @ x + b1
        a1 = np.maximum(z1, 0)
        z2 = w2 @ a1 + b2
        exponentials = np.exp(z2 - z2.max(0))
        a2 = exponentials / exponentials.sum(0)
        dz2 = a2 - one_hot
        dz1 = (w2.T @ dz2) * (z1 > 0)
        w1 = w1 - job["learning_rate"] * (dz1 @ x.T) / count
        b1 = b1 - job["learning_rate"] * dz1.sum(1, keepdims=True) / count
        w2 = w2 - job["learning_rate"] * (dz2 @ a1.T) / count
        b2 = b2 - job["learning_rate"] * dz2.sum(1, keepdims=True) / count
    return [w1.T, b1[:, 0], w2.T, b2[:, 0]]


def onnx_session(parameters, threads):
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    names = ("w1", "b1", "w2", "b2")
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["z1"]),
        helper.make_node("Relu", ["z1"], ["h"]),
        helper.make_node("Gemm", ["h", "w2", "b2"], ["z2"]),
        helper.make_node("Softmax", ["z2"], ["p"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 784])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 10])],
        [numpy_helper.from_array(p, name) for p, name in zip(parameters, names)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def predictor(competitor, parameters, threads):
    """A function from (images, 784) to (images, 10), both NumPy arrays."""
    if competitor == "numpy":
        return lambda images: numpy_forward(images, *parameters)[1]
    if competitor == "onnxruntime":
        session = onnx_session(parameters, threads)
        return lambda images: session.run(None, {"x": images})[0]
    import torch

    model = torch_model(parameters)

    def predict(images):
        with torch.inference_mode():
            return model(torch.from_numpy(images)).softmax(1).numpy()

    return predict


# One measurement, in a process of its own


def once(command, competitor, threads, data, job):
    import numpy as np

    if competitor == "torch":
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(42)
    test, test_labels = load(data, "t10k")
    if command == "prediction":
        return once_prediction(competitor, threads, (test / np.float32(255)).astype(np.float32))

    images, labels = load(data, "train")
    images, labels = images[: job["images"]].copy(), labels[: job["images"]].copy()
    if competitor == "numpy, float64":
        run = lambda count, job: train_student(images[:count], labels[:count], job)
    else:
        train = {"numpy": train_numpy, "torch": train_torch}[competitor]
        start = initial(job["hidden"])
        run = lambda count, job: train(
            [p.copy() for p in start], images[:count], labels[:count], job
        )
    run(2 * min(job["batch"], 1_000), job | dict(epochs=1))
    began = time.perf_counter()
    parameters = run(len(images), job)
    seconds = time.perf_counter() - began
    answers = numpy_forward(test / 255, *parameters)[1].argmax(1)
    return seconds, (answers == test_labels).mean()


def once_prediction(competitor, threads, images):
    import numpy as np

    parameters = initial(128)
    expected = numpy_forward(images, *parameters)[1]
    predict = predictor(competitor, parameters, threads)
    found, times = np.empty_like(expected), []
    for index in range(len(images)):
        image = images[index : index + 1]
        began = time.perf_counter()
        answer = predict(image)
        times.append(time.perf_counter() - began)
        found[index] = answer[0]
    difference = abs(found - expected).max()
    many = []
    for _ in range(6):
        began = time.perf_counter()
        found = predict(images)
        many.append(time.perf_counter() - began)
        difference = max(difference, abs(found - expected).max())
    return statistics.median(times) * 1e6, statistics.median(many[1:]) * 1e3, difference


# The rounds


def measure(command, competitor, threads, arguments, job):
    """The numbers that a process prints for one measurement."""
    if competitor == OURS:
        work = "predict-once" if command == "prediction" else "train-once"
        words = [arguments.peers, work, "--data", arguments.data, "--threads", threads]
        words += [f"--{name.replace('_', '-')}={value}" for name, value in job.items()]
    else:
        words = [sys.executable, __file__, "--data", arguments.data, "--threads", threads]
        words += ["--once", competitor, command]
        words += [f"{name}={value}" for name, value in job.items()]
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | {name: str(threads) for name in variables}
    output = subprocess.run(map(str, words), env=environment, stdout=subprocess.PIPE, check=True)
    return [float(word) for word in output.stdout.split()]


def rounds(command, competitors, arguments, job):
    """{(competitor, threads): [numbers of each round]}"""
    entries = [(name, threads) for name in competitors for threads in THREADS]
    if arguments.peers:
        entries = [(OURS, threads) for threads in arguments.our_threads] + entries
    results = {entry: [] for entry in entries}
    for _ in range(arguments.rounds):
        for entry in entries:
            results[entry].append(measure(command, *entry, arguments, job))
    return results


def print_training(title, command, competitors, arguments, job):
    results = rounds(command, competitors, arguments, job)
    print(f"{title}, {arguments.rounds} rounds\n")
    print("|  | threads | seconds, least | median | accuracy | ÷ ours (median) |")
    print("|---|---:|---:|---:|---:|---:|")
    seconds = {entry: [r[0] for r in runs] for entry, runs in results.items()}
    ours = min((statistics.median(s) for e, s in seconds.items() if e[0] == OURS), default=None)
    for (name, threads), runs in results.items():
        accuracy = min(right for _, right in runs)
        if accuracy < LEAST_ACCURACY[command]:
            sys.exit(f"{name}: accuracy {accuracy}")
        times = seconds[name, threads]
        median = statistics.median(times)
        ratio = f"{median / ours:.2f}" if ours else ""
        print(f"| {name} | {threads} | {min(times):.3f} | {median:.3f} | {accuracy:.4f} | {ratio} |")
    print()


def print_prediction(arguments):
    results = rounds("prediction", ("numpy", "torch", "onnxruntime"), arguments, {})
    print(f"784-128-10, {arguments.rounds} rounds\n")
    print("|  | threads | one: µs | ÷ ours | 10,000: ms | ÷ ours | largest difference |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    medians = {e: [statistics.median(numbers) for numbers in zip(*r)] for e, r in results.items()}
    ours = [numbers for (name, _), numbers in medians.items() if name == OURS]
    best = [min(numbers) for numbers in zip(*ours)]
    for (name, threads), (one, many, difference) in medians.items():
        if not difference < 1e-4:
            sys.exit(f"{name}: differs by {difference}")
        ratios = [f"{x / b:.2f}" for x, b in zip((one, many), best)] if best else ["", ""]
        print(
            f"| {name} | {threads} | {one:.2f} | {ratios[0]} | {many:.2f} | {ratios[1]} "
            f"| {difference:.1e} |"
        )
    print()


def print_header(title):
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    print(f"## {title}\n\n{names[0]}, {len(names)} cores\n")


def number(text):
    return float(text) if "." in text else int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("training", "prediction", "original"))
    parser.add_argument("--data", type=Path, required=True, help="the folder with the MNIST files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", help="the built program `peers`: measures ours beside the others")
    parser.add_argument(
        "--our-threads", type=int, nargs="+", default=THREADS, help="the numbers of threads of ours"
    )
    parser.add_argument("--once", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("job", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    if arguments.once:
        job = dict(word.split("=") for word in arguments.job)
        job = {name: number(value) for name, value in job.items()}
        numbers = once(arguments.command, arguments.once, arguments.threads, arguments.data, job)
        print(*map(float, numbers))
    elif arguments.command == "training":
        print_header("Training: one epoch over 60,000 images")
        for title, job in TRAININGS.items():
            print_training(title, "training", ("numpy", "torch"), arguments, job | MOMENTUM)
    elif arguments.command == "prediction":
        print_header("Prediction")
        print_prediction(arguments)
    else:
        print_header("The original's job")
        title = "784-10-10, 500 steps on 42,000 images"
        print_training(title, "original", ("numpy, float64",), arguments, ORIGINAL)


if __name__ == "__main__":
    main()
