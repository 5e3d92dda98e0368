//! `convert`: networks both ways, pictures to CSV.

use std::fs;

use digit_recognizer::{DigitImage, Network, Picture, preprocess};

use crate::{Folder, assert_refused, command, stdout};

#[test]
fn a_network_comes_back_with_the_same_bytes() {
    let folder = Folder::new("networks");
    let files = ["one.digits", "two.npz", "three.digits"].map(|name| folder.join(name));
    let mut from = "fixtures/tiny.npz".into();
    for to in &files {
        let stdout = stdout(command("convert").arg(&from).arg(to));
        let [before, after] = [&from, to].map(|file| fs::metadata(file).unwrap().len());
        let expected = format!(
            "wrote {}: layers [3, 4, 2], 26 parameters, {before} to {after} bytes\n",
            to.display()
        );
        assert_eq!(stdout, expected);
        from = to.clone();
    }
    let bytes = files.map(|file| fs::read(file).unwrap());
    assert!(bytes[0].starts_with(b"DIGITNET") && bytes[1].starts_with(b"PK"));
    assert!(bytes[0] == bytes[2], "the network changed on its way through .npz");
}

#[test]
fn a_network_is_stored_in_fewer_bits() {
    let folder = Folder::new("storages");
    // 20 weights and 64 bytes beside them; 8 bits add 6 scales.
    for (storage, len) in [("f32", 144), ("f16", 104), ("i8", 108)] {
        let to = folder.join(&format!("{storage}.digits"));
        let mut convert = command("convert");
        let stdout = stdout(convert.args(["--storage", storage, "fixtures/tiny.npz"]).arg(&to));
        assert!(stdout.ends_with(&format!(" to {len} bytes\n")), "{stdout}");
        let bytes = fs::read(&to).unwrap();
        assert_eq!(bytes.len(), len);
        // What is read can be written again.
        assert_eq!(Network::load(&to).unwrap().sizes(), [3, 4, 2]);
    }
    let mut convert = command("convert");
    let refused = convert.args(["--storage", "i8", "fixtures/tiny.npz"]).arg(folder.join("a.npz"));
    assert_refused(refused, 1, &["--storage", "a.npz", ".digits"]);
    let mut convert = command("convert");
    assert_refused(convert.args(["--storage", "i4", "a.npz", "b.digits"]), 2, &["i4"]);
}

#[test]
fn a_picture_becomes_one_row_of_the_networks_inputs() {
    let folder = Folder::new("pictures");
    let csv = folder.join("seven.csv");
    stdout(command("convert").arg("fixtures/seven.png").arg(&csv));
    let text = fs::read_to_string(&csv).unwrap();
    assert_eq!(text.lines().count(), 1);
    let values: Vec<f32> = text.trim_end().split(',').map(|value| value.parse().unwrap()).collect();
    assert_eq!(values.len(), 784);
    assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{text}");

    let image = DigitImage::load_csv(&csv).unwrap();
    assert_eq!(values, image.pixels());
    assert_eq!(image, preprocess(&Picture::open("fixtures/seven.png").unwrap()).unwrap());
}

#[test]
fn what_cannot_be_converted_is_refused() {
    let folder = Folder::new("unconverted");
    for (from, to, parts) in [
        ("fixtures/seven.png", "seven.txt", ["seven.txt", ".webp to .csv"]),
        (
            "fixtures/seven.png",
            "seven.digits",
            ["seven.digits", ".digits, .npz or .safetensors to one"],
        ),
        ("fixtures/README.md", "model.npz", ["README.md", ".digits, .npz or .safetensors to one"]),
        ("nowhere", "seven.csv", ["nowhere", ".webp to .csv"]),
        ("nowhere.npz", "model.digits", ["nowhere.npz: ", "os error"]),
        ("nowhere.png", "seven.csv", ["nowhere.png: ", "os error"]),
        ("fixtures/tiny.npz", "missing/model.digits", ["missing", "os error"]),
    ] {
        assert_refused(command("convert").arg(from).arg(folder.join(to)), 1, &parts);
        assert_eq!(folder.names(), [""; 0], "{from} to {to}");
    }
}

#[test]
fn a_network_goes_to_other_programs_and_comes_back() {
    let folder = Folder::new("interchanged");
    let (tensors, back) = (folder.join("model.safetensors"), folder.join("model.digits"));
    let line = stdout(command("convert").arg("fixtures/version-2.digits").arg(&tensors));
    assert!(line.starts_with(&format!("wrote {}: layers [2, 3, 2]", tensors.display())), "{line}");
    stdout(command("convert").arg(&tensors).arg(&back));
    let network = Network::load("fixtures/version-2.digits").unwrap();
    assert_eq!(Network::load(&back).unwrap(), network);

    let onnx = folder.join("model.onnx");
    stdout(command("convert").arg(&tensors).arg(&onnx));
    let mut expected = Vec::new();
    network.write_onnx(&mut expected).unwrap();
    assert_eq!(fs::read(&onnx).unwrap(), expected);
    let parts = ["model.onnx to ", "expected .digits, .npz or .safetensors"];
    assert_refused(command("convert").arg(&onnx).arg(&back), 1, &parts);
}
