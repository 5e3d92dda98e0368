//! Networks in the files of other programs: safetensors, both ways, and ONNX.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use digit_recognizer::{Activation, Dense, Error, Matrix, Network, Result};
use proptest::prelude::*;

/// 2-3-2 with numbers that are not alike in any two places.
fn network() -> Network {
    let first = Matrix::from_vec(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, f32::MIN_POSITIVE]);
    let second = Matrix::from_vec(3, 2, vec![-1.0, -2.0, -3.0, -4.0, -0.0, f32::MAX]);
    let layers = vec![
        Dense::new(first, vec![0.1, 0.2, 0.3], Activation::Tanh),
        Dense::new(second, vec![0.4, 0.5], Activation::Linear),
    ];
    Network::from_layers(layers).unwrap().with_temperature(1.1).unwrap()
}

fn safetensors(network: &Network) -> Vec<u8> {
    let mut file = Vec::new();
    network.write_safetensors(&mut file).unwrap();
    file
}

/// A file with this header, and values from 0 on.
fn file(header: &str, values: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    file.extend((0..values).flat_map(|value| (value as f32).to_le_bytes()));
    file
}

/// The header of one layer of 3 inputs and 2 outputs, with a part replaced.
fn header_with(part: &str, replacement: &str) -> String {
    let header = r#"{"__metadata__":{"activations":"linear","temperature":"2"},"layers.0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"layers.0.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}}"#;
    assert!(header.contains(part), "{part}");
    header.replacen(part, replacement, 1)
}

fn read_with(part: &str, replacement: &str) -> Result<Network> {
    Network::read_safetensors(file(&header_with(part, replacement), 8).as_slice())
}

#[track_caller]
fn assert_refused(result: Result<Network>, is_variant: fn(&Error) -> bool, parts: &[&str]) {
    let error = result.expect_err("a bad file");
    assert!(is_variant(&error), "{error:?}");
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

fn malformed(error: &Error) -> bool {
    matches!(error, Error::Malformed { format: "safetensors", .. })
}

fn unsupported(error: &Error) -> bool {
    matches!(error, Error::Unsupported { format: "safetensors", .. })
}

fn mismatch(error: &Error) -> bool {
    matches!(error, Error::Mismatch { .. })
}

#[test]
fn bytes_are_those_of_the_format() {
    let bytes = safetensors(&network());
    let header = concat!(
        r#"{"__metadata__":{"format":"pt","activations":"tanh,linear","preprocessing":"mnist","temperature":"1.1"},"#,
        r#""layers.0.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]},"#,
        r#""layers.0.bias":{"dtype":"F32","shape":[3],"data_offsets":[24,36]},"#,
        r#""layers.1.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[36,60]},"#,
        r#""layers.1.bias":{"dtype":"F32","shape":[2],"data_offsets":[60,68]}}"#,
    );
    let padded = header.len().next_multiple_of(8);
    assert_eq!(bytes[..8], (padded as u64).to_le_bytes());
    assert_eq!(bytes[8..8 + padded], *format!("{header:<padded$}").as_bytes());
    let values = [1.0, 4.0, 2.0, 5.0, 3.0, f32::MIN_POSITIVE, 0.1, 0.2, 0.3].into_iter().chain([
        -1.0,
        -3.0,
        -0.0,
        -2.0,
        -4.0,
        f32::MAX,
        0.4,
        0.5,
    ]);
    assert_eq!(bytes[8 + padded..], values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>());
    let read = Network::read_safetensors(bytes.as_slice()).unwrap();
    assert_eq!(read, network());
    assert!(read.layers()[1].weights().as_slice()[4].is_sign_negative(), "every bit");
}

#[test]
fn what_a_file_does_not_say_is_as_elsewhere() {
    let read = read_with("linear", "linear").unwrap();
    assert_eq!((read.sizes(), read.temperature()), (vec![3, 2], 2.0));
    assert_eq!(read.layers()[0].weights().as_slice(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    let read =
        read_with(r#""__metadata__":{"activations":"linear","temperature":"2"},"#, "").unwrap();
    assert_eq!(read.temperature(), 1.0);
    assert_eq!(read.layers()[0].activation(), Activation::Linear);
    // Other data, and tensors in another order than their values.
    assert!(read_with("\"temperature\":\"2\"", "\"author\":\"me\"").is_ok());
    let swapped = header_with("[0,24]", "[8,32]").replacen("[24,32]", "[0,8]", 1);
    let read = Network::read_safetensors(file(&swapped, 8).as_slice()).unwrap();
    assert_eq!(read.layers()[0].bias(), [0.0, 1.0]);
}

#[test]
fn a_header_that_lies_about_its_length_is_refused() {
    for (length, parts) in [
        (u64::MAX, &["at byte 0", "at most 131072", "found 18446744073709551615"]),
        (131_073, &["at byte 0", "at most 131072", "found 131073"]),
    ] {
        let bytes = [&length.to_le_bytes()[..], b"{}"].concat();
        assert_refused(Network::read_safetensors(bytes.as_slice()), unsupported, parts);
    }
    let bytes = [&100_u64.to_le_bytes()[..], b"{}"].concat();
    let parts = ["at byte 8 (header)", "expected 100 bytes", "found the end after 2"];
    assert_refused(Network::read_safetensors(bytes.as_slice()), malformed, &parts);
    let parts = ["at byte 0", "expected 8 bytes", "found the end after 0"];
    assert_refused(Network::read_safetensors(&b""[..]), malformed, &parts);
}

#[test]
fn a_header_that_is_no_json_of_tensors_names_the_byte() {
    let parts = ["byte 8 (header)", "the JSON of tensors", "found \"[]\""];
    assert_refused(Network::read_safetensors(file("[]", 0).as_slice()), malformed, &parts);
    assert_refused(read_with("{\"__", " {\"__"), malformed, &["byte 8 (header)"]);
    assert_refused(read_with("[2,3]", "[2,-3]"), malformed, &["(header)", "found \"-3],"]);
    let mut bytes = file(&header_with("linear", "lin?ar"), 8);
    let place = bytes.iter().position(|&byte| byte == b'?').unwrap();
    bytes[place] = 0xff;
    let parts = [&format!("byte {place} (header)")[..], "found \"\\xffar"];
    assert_refused(Network::read_safetensors(bytes.as_slice()), malformed, &parts);
}

#[test]
fn tensors_that_are_no_network_are_named() {
    let parts = ["expected layers.0.weight, found none"];
    assert_refused(Network::read_safetensors(file("{}", 0).as_slice()), mismatch, &parts);
    let parts = ["expected layers.0.bias, found \"fc.bias\""];
    assert_refused(read_with("layers.0.bias", "fc.bias"), mismatch, &parts);
    let parts = ["expected layers.0.weight, found \"layers.1.weight\""];
    assert_refused(read_with("layers.0.weight", "layers.1.weight"), mismatch, &parts);
    let more =
        r#""layers.0.more":{"dtype":"F32","shape":[0],"data_offsets":[32,32]},"layers.0.weight""#;
    let parts = ["expected layers.1.weight, found \"layers.0.more\""];
    assert_refused(read_with("\"layers.0.weight\"", more), mismatch, &parts);
    let parts = ["layers.0.weight", "shape [outputs, inputs]", "found [6]"];
    assert_refused(read_with("[2,3]", "[6]"), unsupported, &parts);
    let parts = ["expected shape [3] of layers.0.bias, found [2]"];
    assert_refused(read_with("[2,3]", "[3,2]"), mismatch, &parts);
    assert_refused(read_with("\"F32\"", "\"BF16\""), unsupported, &["dtype F32, found \"BF16\""]);
}

#[test]
fn places_that_do_not_fit_are_named() {
    let parts = ["layers.0.weight", "expected 24 bytes for shape [2, 3]", "data_offsets [0, 20]"];
    assert_refused(read_with("[0,24]", "[0,20]"), malformed, &parts);
    assert_refused(read_with("[0,24]", "[24,0]"), malformed, &["data_offsets [24, 0]"]);
    let huge = "[4294967296,4294967296]";
    assert_refused(read_with("[2,3]", huge), malformed, &["fewer elements", "4294967296"]);
    // A gap, and two tensors in one place.
    let parts = ["layers.0.bias", "data_offsets from 24", "found 28"];
    assert_refused(read_with("[24,32]", "[28,36]"), malformed, &parts);
    assert_refused(read_with("[24,32]", "[16,24]"), malformed, &["from 24", "found 16"]);
    assert_refused(read_with("[0,24]", "[8,32]"), malformed, &["layers.0.weight", "from 0"]);
    // The file ends early, or goes on.
    let good = file(&header_with("linear", "linear"), 8);
    let parts = ["layers.0.bias", "expected 8 bytes", "found the end after 7"];
    assert_refused(Network::read_safetensors(&good[..good.len() - 1]), malformed, &parts);
    let parts = ["nothing after the last tensor", "more bytes"];
    let longer = [&good[..], &[0]].concat();
    assert_refused(Network::read_safetensors(longer.as_slice()), malformed, &parts);
}

#[test]
fn metadata_that_is_not_known_is_named() {
    let parts = ["activations in __metadata__", "linear, relu, tanh or sigmoid", "\"gelu\""];
    assert_refused(read_with("linear", "gelu"), unsupported, &parts);
    let parts = ["activations in __metadata__", "expected 1 names, found 2"];
    assert_refused(read_with("linear", "relu,linear"), malformed, &parts);
    assert_refused(read_with("linear", "relu"), mismatch, &["the last layer", "Relu"]);
    for bad in ["0", "-1", "NaN", "inf", "warm", ""] {
        let bad_temperature = format!("\"temperature\":\"{bad}\"");
        let found = format!("found \"{bad}\"");
        let parts = ["temperature in __metadata__", "a finite number above 0", &found];
        assert_refused(read_with("\"temperature\":\"2\"", &bad_temperature), malformed, &parts);
    }
    let parts = ["preprocessing in __metadata__", "mnist", "\"other\""];
    assert_refused(
        read_with("\"temperature\":\"2\"", "\"preprocessing\":\"other\""),
        unsupported,
        &parts,
    );
    let mut infinite = file(&header_with("linear", "linear"), 8);
    let last = infinite.len() - 4;
    infinite[last..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    assert_refused(Network::read_safetensors(infinite.as_slice()), mismatch, &["finite"]);
}

#[test]
fn a_network_of_too_many_layers_is_not_written() {
    let network = Network::new(&[1; 258], Activation::Relu, 1).unwrap();
    let error = network.write_safetensors(Vec::new()).expect_err("257 layers");
    assert!(unsupported(&error) && error.to_string().contains("at most 256 layers"), "{error}");
    let network = Network::new(&[1; 257], Activation::Relu, 1).unwrap();
    assert_eq!(Network::read_safetensors(safetensors(&network).as_slice()).unwrap(), network);
}

#[test]
fn files_are_told_by_their_content() {
    let folder = folder("content");
    let path = folder.join("model.digits");
    network().save_safetensors(&path).unwrap();
    assert_eq!(Network::load(&path).unwrap(), network());
    assert_eq!(Network::load_safetensors(&path).unwrap(), network());
    let error = Network::load_safetensors(folder.join("none")).expect_err("no file");
    assert!(matches!(error, Error::File { .. }) && error.to_string().contains("none"), "{error}");
    assert!(matches!(Network::load_safetensors(&folder), Err(Error::File { .. })));
    network().save_onnx(&path).unwrap();
    let error = Network::load(&path).expect_err("ONNX is one way").to_string();
    assert!(error.contains("model.digits") && error.contains("safetensors"), "{error}");
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interchange").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A field of a message: its number, and a number or bytes.
fn fields(mut message: &[u8]) -> Vec<(u64, u64, &[u8])> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (&byte, rest) = bytes.split_first().expect("a number");
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let value = varint(&mut message);
        let bytes = if key & 7 == 2 {
            let (bytes, rest) = message.split_at(value as usize);
            message = rest;
            bytes
        } else {
            assert_eq!(key & 7, 0, "a number or bytes");
            &[]
        };
        fields.push((key >> 3, value, bytes));
    }
    fields
}

fn all(message: &[u8], field: u64) -> Vec<&[u8]> {
    let fields = fields(message).into_iter().filter(|entry| entry.0 == field);
    fields.map(|entry| entry.2).collect()
}

#[test]
fn an_onnx_file_has_the_nodes_and_tensors_of_the_network() {
    let mut file = Vec::new();
    network().write_onnx(&mut file).unwrap();
    let graph = all(&file, 7)[0];
    let nodes: Vec<(&[u8], Vec<&[u8]>)> =
        all(graph, 1).into_iter().map(|node| (all(node, 4)[0], all(node, 1))).collect();
    let expected: [(&[u8], Vec<&[u8]>); 5] = [
        (b"Gemm", vec![b"images", b"weights.1", b"bias.1"]),
        (b"Tanh", vec![b"sums.1"]),
        (b"Gemm", vec![b"outputs.1", b"weights.2", b"bias.2"]),
        (b"Div", vec![b"sums.2", b"temperature"]),
        (b"Softmax", vec![b"logits"]),
    ];
    assert_eq!(nodes, expected);
    let tensors = all(graph, 5);
    let names: Vec<&[u8]> = tensors.iter().map(|tensor| all(tensor, 8)[0]).collect();
    let expected: [&[u8]; 5] = [b"weights.1", b"bias.1", b"weights.2", b"bias.2", b"temperature"];
    assert_eq!(names, expected);
    let sizes: Vec<u64> =
        fields(tensors[0]).into_iter().filter(|field| field.0 == 1).map(|field| field.1).collect();
    assert_eq!(sizes, [2, 3]);
    let network = network();
    let values = network.layers()[0].weights().as_slice().iter();
    let values: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(all(tensors[0], 9), [values]);
    assert_eq!(all(tensors[4], 9), [1.1_f32.to_le_bytes()]);
    // Without a temperature there is no division.
    let mut plain = Vec::new();
    network.with_temperature(1.0).unwrap().write_onnx(&mut plain).unwrap();
    assert_eq!((all(all(&plain, 7)[0], 1).len(), all(all(&plain, 7)[0], 5).len()), (4, 4));
}

/// The networks are written, and `interchange.py` loads them.
#[cfg(all(feature = "gzip", feature = "pretrained"))]
#[test]
#[ignore = "needs an interpreter, PYTHON, with NumPy, onnxruntime and safetensors"]
#[allow(clippy::print_stdout, reason = "the figures")]
fn other_programs_give_the_same_probabilities() {
    use digit_recognizer::mnist::{self, Split};

    let images = mnist::load("fixtures/mnist", Split::Test).unwrap().slice(0..200);
    let images = images.images();
    let floats: Vec<f32> = images.pixels().iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    let small = |hidden, temperature| {
        let network = Network::new(&[784, 30, 20, 10], hidden, 1).unwrap();
        network.with_temperature(temperature).unwrap()
    };
    let networks = [
        ("pretrained", Network::pretrained()),
        ("relu", small(Activation::Relu, 1.0)),
        ("tanh", small(Activation::Tanh, 0.4)),
        ("sigmoid", small(Activation::Sigmoid, 3.0)),
    ];
    let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    for (name, network) in networks {
        let folder = folder(name);
        let paths = ["network.onnx", "network.safetensors", "images", "probabilities"]
            .map(|name| folder.join(name));
        network.save_onnx(&paths[0]).unwrap();
        network.save_safetensors(&paths[1]).unwrap();
        let probabilities =
            network.predict_batch(&Matrix::from_vec(images.len(), 784, floats.clone()));
        fs::write(&paths[2], bytes(&floats)).unwrap();
        fs::write(&paths[3], bytes(probabilities.as_slice())).unwrap();
        let mut command = std::process::Command::new(&python);
        let output = command.arg("tests/interchange.py").args(&paths).output().expect("PYTHON");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        println!("{name}: differences of onnxruntime and NumPy: {text}");
        let differences = text.split_whitespace().map(|word| word.parse::<f64>().unwrap());
        assert!(differences.into_iter().all(|difference| difference < 1e-5), "{name}: {text}");
    }
}

proptest! {
    #[test]
    fn any_network_comes_back_as_it_was(
        sizes in prop::collection::vec(1..30_usize, 2..6),
        hidden in prop_oneof![Just(Activation::Relu), Just(Activation::Tanh), Just(Activation::Sigmoid)],
        temperature in f32::MIN_POSITIVE..f32::MAX,
        seed: u64,
    ) {
        let network = Network::new(&sizes, hidden, seed).unwrap();
        let network = network.with_temperature(temperature).unwrap();
        let read = Network::read_safetensors(safetensors(&network).as_slice());
        prop_assert_eq!(read.unwrap(), network);
    }
}
