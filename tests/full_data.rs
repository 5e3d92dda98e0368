//! What needs the full data, and minutes: run by `.ci/run`, with
//! `cargo test --test full_data -- --ignored`.
//!
//! `DIGITS_DATA` says where the data is, `../shared/data` where it says
//! nothing. A file that is missing is a failure.

#![cfg(all(feature = "gzip", feature = "image", feature = "npz", feature = "pretrained"))]
#![allow(clippy::print_stdout, reason = "the figures are for whoever reads the log")]

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{
    Activation, Augmentation, Dataset, Dense, DigitImage, Epoch, Matrix, Network, Optimizer,
    Picture, Schedule, TrainConfig, Trainer, preprocess, unipen,
};

/// The least share of MNIST's test images that the model in the box reads.
const BOX_ACCURACY: f64 = 0.9961;

/// FNV-1a, over words, of the weights after the first epoch of the recipe.
const RECIPE: u64 = 0xd109_d13c_9e46_41a8;

fn data(path: &str) -> PathBuf {
    let root = std::env::var_os("DIGITS_DATA").unwrap_or_else(|| "../shared/data".into());
    Path::new(&root).join(path)
}

fn mnist(split: Split) -> Dataset {
    mnist::load(data("mnist"), split).expect("MNIST in the data folder")
}

fn text(path: &str) -> String {
    let path = data(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn go_on(_: &Epoch) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Scores a network on MNIST's test images and says the result.
fn test_accuracy(network: &Network, name: &str) -> f64 {
    let confusion = network.evaluate(&mnist(Split::Test)).expect("MNIST fits");
    println!("{name}: {}/{} on the MNIST test images", confusion.correct(), confusion.total());
    confusion.accuracy()
}

#[test]
#[ignore = "needs the full data"]
fn the_original_model_answers_as_in_numpy() {
    let network = Network::load(data("original/model_weights.npz")).expect("the original model");
    assert_eq!(network.sizes(), [784, 10, 10]);
    let test = mnist(Split::Test);
    let answers = network.classify(test.images()).expect("MNIST fits");
    let expected: Vec<u8> = text("original/predictions-t10k.txt")
        .lines()
        .map(|line| line.parse().expect("a digit"))
        .collect();
    assert_eq!(expected.len(), 10_000);
    assert_eq!(answers, expected);

    let rows = text("original/probabilities-t10k-first100.csv");
    let rows: Vec<Vec<f32>> = rows
        .lines()
        .map(|line| line.split(',').map(|p| p.parse().expect("a probability")).collect())
        .collect();
    assert_eq!(rows.len(), 100);
    for (index, row) in rows.iter().enumerate() {
        let pixels = test.images().image(index).try_into().expect("784 pixels");
        let prediction = network.predict(&DigitImage::from_bytes(pixels));
        assert_eq!(row.len(), 10);
        for (found, expected) in prediction.probabilities().iter().zip(row) {
            assert!((found - expected).abs() <= 1e-5, "image {index}: {prediction:?}, {row:?}");
        }
    }
}

/// The float64 arrays of an .npz that `np.savez` wrote: shape and elements by
/// name. The members are stored, and each NPY header says how long it is.
fn numpy_arrays(path: &Path) -> HashMap<String, (Vec<usize>, Vec<f64>)> {
    let file = std::fs::read(path).expect("the golden training");
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
    let mut arrays = HashMap::new();
    let mut at = 0;
    while file[at..].starts_with(b"PK\x03\x04") {
        let (name_len, extra_len) = (u16_at(at + 26), u16_at(at + 28));
        let name = String::from_utf8_lossy(&file[at + 30..][..name_len]).replace(".npy", "");
        let npy = at + 30 + name_len + extra_len;
        assert!(file[npy..].starts_with(b"\x93NUMPY\x01\0"), "{name}");
        let body = npy + 10 + u16_at(npy + 8);
        let header = String::from_utf8_lossy(&file[npy + 10..body]).into_owned();
        assert!(header.contains("'<f8'") && header.contains("'fortran_order': False"), "{header}");
        let shape = header.split(['(', ')']).nth(1).expect("a shape");
        let shape: Vec<usize> = shape
            .split(',')
            .filter(|size| !size.trim().is_empty())
            .map(|size| size.trim().parse().expect("a size"))
            .collect();
        at = body + 8 * shape.iter().product::<usize>();
        let elements = file[body..at].as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes));
        arrays.insert(name, (shape, elements.collect()));
    }
    arrays
}

#[test]
#[ignore = "needs the full data"]
fn training_takes_the_steps_of_the_original_in_numpy() {
    let golden = numpy_arrays(&data("original/training-golden.npz"));
    assert_eq!(golden.len(), 13);
    // Stored (outputs, inputs) by rows; ours is (inputs, outputs).
    let layers_of = |prefix: &str| -> Vec<Dense> {
        let layer = |number: usize| {
            let (shape, weights) = &golden[&format!("{prefix}_W{number}")];
            let (_, bias) = &golden[&format!("{prefix}_b{number}")];
            let weights =
                Matrix::from_fn(shape[1], shape[0], |i, j| weights[j * shape[1] + i] as f32);
            let activation = if number == 1 { Activation::Relu } else { Activation::Linear };
            Dense::new(weights, bias.iter().map(|&b| b as f32).collect(), activation)
        };
        vec![layer(1), layer(2)]
    };
    let training = mnist(Split::Train).slice(0..1_000);
    let mut network = Network::from_layers(layers_of("start")).expect("the original's layers");
    let config = TrainConfig {
        epochs: 1,
        batch_size: 1_000,
        learning_rate: 0.1,
        optimizer: Optimizer::Sgd { momentum: 0.0 },
        schedule: Schedule::Constant,
        ..Default::default()
    };

    let (_, losses) = &golden["loss"];
    assert_eq!(losses.len(), 10);
    let mut largest = 0.0_f32;
    for (step, loss) in losses.iter().enumerate() {
        let history = network.train(&training, None, &config, go_on).expect("a step");
        assert!((history[0].loss - loss).abs() <= 1e-4, "step {step}: {history:?} for {loss}");
        let prefix = format!("after{}", step + 1);
        if step != 0 && step != 9 {
            continue;
        }
        for (layer, expected) in network.layers().iter().zip(layers_of(&prefix)) {
            let values = layer.weights().as_slice().iter().chain(layer.bias());
            let expected = expected.weights().as_slice().iter().chain(expected.bias());
            for (value, expected) in values.zip(expected) {
                largest = largest.max((value - expected).abs());
                assert!((value - expected).abs() <= 1e-4, "{prefix}: {value} for {expected}");
            }
        }
    }
    println!("largest difference of a weight: {largest:e}");
}

#[test]
#[ignore = "needs the full data"]
fn the_original_recipe_reaches_84_percent() {
    // 784-10-10, all images in each step, learning rate 0.1, 500 steps, start
    // evenly distributed within ±0.5; the numbers are those of a 64-bit linear
    // congruential generator (Knuth's MMIX).
    let mut state = 1_u64;
    let mut start = |rows, cols, activation| {
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5
        };
        let weights = Matrix::from_fn(rows, cols, |_, _| random());
        let bias = (0..cols).map(|_| random()).collect();
        Dense::new(weights, bias, activation)
    };
    let layers = vec![start(784, 10, Activation::Relu), start(10, 10, Activation::Linear)];
    let mut network = Network::from_layers(layers).expect("two layers");
    let training = mnist(Split::Train);
    let config = TrainConfig {
        epochs: 500,
        batch_size: training.len(),
        learning_rate: 0.1,
        optimizer: Optimizer::Sgd { momentum: 0.0 },
        schedule: Schedule::Constant,
        ..Default::default()
    };
    network.train(&training, None, &config, go_on).expect("training");
    assert!(test_accuracy(&network, "original recipe") >= 0.84);
}

#[test]
#[ignore = "needs the full data"]
fn training_with_the_defaults_reaches_98_percent() {
    let config = TrainConfig::default();
    assert!(config.epochs <= 10);
    let mut network = Network::new(&[784, 256, 10], Activation::Relu, config.seed).expect("sizes");
    // As the example does: the last 5,000 images are kept for validation.
    let all = mnist(Split::Train);
    let (training, validation) = (all.slice(0..55_000), all.slice(55_000..60_000));
    network.train(&training, Some(&validation), &config, go_on).expect("training");
    assert!(test_accuracy(&network, "training with the defaults") >= 0.98);
}

#[test]
#[ignore = "needs the full data"]
fn the_model_in_the_box_reads_what_its_card_says() {
    assert!(test_accuracy(&Network::pretrained(), "model in the box") >= BOX_ACCURACY);
}

/// The first epoch of `examples/recipe`: the whole takes an hour.
#[test]
#[ignore = "needs the full data"]
fn the_recipe_of_the_model_in_the_box_begins_with_these_bits() {
    let config = TrainConfig {
        epochs: 300,
        batch_size: 128,
        learning_rate: 0.1,
        schedule: Schedule::Cosine,
        warm_up: 0.01,
        weight_decay: 0.0005,
        augmentation: Some(Augmentation {
            scaling: 0.15,
            shift: 1.0,
            stroke: 0.3,
            ..Augmentation::default()
        }),
        ..Default::default()
    };
    let digits = unipen::load(data("pendigits/strokes-writers-01-24.unipen.gz")).expect("strokes");
    let drawn = digits.iter().filter(|digit| digit.writer <= 22);
    let mut training = mnist(Split::Train).slice(0..55_000);
    training.extend(&unipen::dataset(drawn, &[1.8, 2.5, 3.4]).expect("pens")).expect("28 x 28");
    let sizes = Network::pretrained().sizes();
    let network = Network::new(&sizes, Activation::Relu, config.seed).expect("sizes");
    let mut trainer = Trainer::new(network, &training, None, &config).expect("settings");
    let epoch = trainer.next_epoch().expect("an epoch").expect("the first");
    println!("after the first epoch: {epoch:?}");
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for layer in trainer.network().layers() {
        for value in layer.weights().as_slice().iter().chain(layer.bias()) {
            hash = (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
        }
    }
    assert_eq!(hash, RECIPE, "{hash:#018x}");
}

#[test]
#[ignore = "needs the full data"]
fn mnist_passes_through_preprocessing_as_it_is() {
    // Each test image as a picture, dark on white: what comes out is the same
    // image but for a fraction of a pixel, and the model reads as many of them.
    let network = Network::pretrained();
    let test = mnist(Split::Test);
    let (mut correct, mut difference) = (0, 0.0);
    for (index, &label) in test.labels().iter().enumerate() {
        let pixels = test.images().image(index);
        let inverted: Vec<u8> = pixels.iter().map(|pixel| 255 - pixel).collect();
        let picture = Picture::from_gray8(28, 28, &inverted).expect("28 x 28 pixels");
        let image = preprocess(&picture).expect("ink");
        correct += usize::from(network.predict(&image).digit() == usize::from(label));
        let pairs = image.pixels().iter().zip(pixels);
        difference += pairs.map(|(new, &old)| (new - f32::from(old) / 255.0).abs()).sum::<f32>();
    }
    let direct = test_accuracy(&network, "model in the box");
    let mean = difference / (10_000.0 * 784.0);
    println!("through preprocessing: {correct}/10000, mean difference of a pixel {mean:.4}");
    assert!(correct as f64 / 1e4 > direct - 0.002);
    assert!(mean < 0.03);
}

#[test]
#[ignore = "needs the full data"]
fn every_drawing_is_answered() {
    let network = Network::pretrained();
    let (mut correct, mut total) = (0, 0);
    for condition in std::fs::read_dir(data("drawings")).expect("the drawings") {
        for file in std::fs::read_dir(condition.expect("a condition").path()).expect("a folder") {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let label: usize = name[..1].parse().expect("a label");
            let picture = Picture::open(&path).expect("a picture");
            let prediction = network.recognize(&picture).unwrap_or_else(|error| {
                panic!("{}: {error}", path.display());
            });
            correct += usize::from(prediction.digit() == label);
            total += 1;
        }
    }
    println!("drawings: {correct}/{total}");
    assert_eq!(total, 1_200);
}

#[test]
#[ignore = "needs the full data, and NumPy"]
fn numpy_loads_what_we_write_and_answers_the_same() {
    let network = Network::pretrained();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (model, answers) = (folder.join("model.npz"), folder.join("answers.txt"));
    network.save_npz(&model).expect("saving");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let images = data("mnist/t10k-images-idx3-ubyte.gz");
    let status = Command::new(&python)
        .arg("tests/numpy_reads_npz.py")
        .args([&model, &images, &answers])
        .status()
        .unwrap_or_else(|error| panic!("{python}: {error}"));
    assert!(status.success(), "{python}: {status}; PYTHON names the interpreter that has NumPy");

    let numpy: Vec<u8> = std::fs::read_to_string(&answers)
        .expect("NumPy's answers")
        .lines()
        .map(|line| line.parse().expect("a digit"))
        .collect();
    let ours = network.classify(mnist(Split::Test).images()).expect("MNIST fits");
    assert_eq!(numpy, ours);
    // And back: float64 holds every f32. An .npz has no place for the temperature.
    let plain = network.with_temperature(1.0).expect("a temperature");
    plain.save_npz(&model).expect("saving");
    assert!(Network::load(&model).expect("our own file") == plain, "another network");
}
