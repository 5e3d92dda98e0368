//! `train`: a network, two pictures of its training, and its accuracy.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use digit_recognizer::{Network, mnist};

use crate::{Folder, assert_refused, command, stdout};

/// A short training with a small network.
fn train(out: &Path) -> Command {
    let mut command = command("train");
    command.args(["--layers", "784,32,10", "--epochs", "2", "--out"]).arg(out);
    command
}

fn assert_svg(path: &Path) {
    let svg = fs::read_to_string(path).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{}", path.display());
}

#[test]
fn the_sample_gives_a_network_its_pictures_and_its_test_accuracy() {
    let folder = Folder::new("train");
    let out = folder.join("my.digits");
    let stdout = stdout(train(&out).args(["--seed", "1"]));
    assert_eq!(folder.names(), ["my-confusion.svg", "my-curve.svg", "my.digits"]);
    assert_svg(&folder.join("my-curve.svg"));
    assert_svg(&folder.join("my-confusion.svg"));

    let network = Network::load(&out).unwrap();
    assert_eq!(network.sizes(), [784, 32, 10]);
    let test = mnist::load("fixtures/mnist", mnist::Split::Test).unwrap();
    let right = network.evaluate(&test).unwrap().correct();
    // Two epochs of 1,800 images: far above chance, far below the full set.
    assert!((500..950).contains(&right), "{right}");

    let accuracy = format!("accuracy {right}/1000 = {:.2} %", right as f64 / 10.0);
    assert_eq!(stdout.lines().next(), Some(format!("test {accuracy}").as_str()), "{stdout}");
    for name in ["my.digits", "my-curve.svg", "my-confusion.svg"] {
        let line = format!("wrote {}", folder.join(name).display());
        assert!(stdout.lines().any(|found| found == line), "{stdout}");
    }

    let mut evaluate = command("evaluate");
    let measured = self::stdout(evaluate.args(["mnist", "fixtures/mnist", "--model"]).arg(&out));
    assert_eq!(measured.lines().last(), Some(accuracy.as_str()));
}

#[test]
fn the_seed_decides_every_byte() {
    let folder = Folder::new("seeds");
    let file = |name: &str, seed: &str| {
        stdout(train(&folder.join(name)).args(["--seed", seed]));
        fs::read(folder.join(name)).unwrap()
    };
    let first = file("first.digits", "1");
    assert!(first == file("again.digits", "1"), "the same seed gave another network");
    assert!(first != file("other.digits", "2"), "another seed gave the same network");
}

#[test]
fn a_training_that_is_killed_goes_on_and_ends_with_the_same_bytes() {
    let folder = Folder::new("killed");
    let train = |name: &str| {
        let mut command = command("train");
        command.args(["--layers", "784,40,10", "--epochs", "12", "--augment", "--dropout", "0.1"]);
        command.args(["--averaged-epochs", "2", "--calibrate", "--storage", "i8", "--out"]);
        command.arg(folder.join(name));
        command
    };
    stdout(&mut train("whole.digits"));

    let state = folder.join("run");
    let mut interrupted = 0;
    for milliseconds in (20..).step_by(40) {
        let mut child = train("killed.digits")
            .arg("--checkpoint")
            .arg(&state)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(milliseconds));
        let done = child.try_wait().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        interrupted += usize::from(done.is_none() && state.exists());
        if done.is_some_and(|status| status.success()) {
            break;
        }
    }
    assert!(interrupted > 0, "no run was killed after its first checkpoint");
    let file = |name: &str| fs::read(folder.join(name)).unwrap();
    assert!(file("killed.digits") == file("whole.digits"), "another network");
}

#[test]
fn strokes_are_trained_on_and_a_network_goes_on() {
    let folder = Folder::new("strokes");
    let first = folder.join("first.digits");
    let strokes = ["--strokes", "fixtures/digits.unipen", "--validation", "0"];
    let run = crate::run(train(&first).args(strokes).args(["--pen-widths", "2,2.5,3"]));
    // Four digits with three pens each, beside the 2,000 images of the sample.
    assert!(run.stderr.contains("on 2012 images, 0 more"), "{}", run.stderr);
    let second = folder.join("second.digits");
    let mut command = command("train");
    command.args(["--epochs", "1", "--validation-writers", "1", "--start"]).arg(&first);
    let run = crate::run(command.args(strokes).arg("--out").arg(&second));
    assert!(run.stderr.contains("on 2006 images, 1 more"), "{}", run.stderr);
    assert_eq!(Network::load(second).unwrap().sizes(), [784, 32, 10]);
}

/// The first images of the sample, as Kaggle's train.csv has them.
fn train_csv(rows: usize) -> String {
    let sample = mnist::load("fixtures/mnist", mnist::Split::Train).unwrap();
    let header = (0..784).map(|index| format!(",pixel{index}"));
    let mut csv = format!("label{}\n", header.collect::<String>());
    for index in 0..rows {
        let pixels = sample.images().image(index).iter().map(|pixel| format!(",{pixel}"));
        csv += &format!("{}{}\n", sample.labels()[index], pixels.collect::<String>());
    }
    csv
}

#[test]
fn kaggles_train_csv_is_measured_on_what_it_keeps_out_of_training() {
    let folder = Folder::new("train-csv");
    let csv = folder.join("train.csv");
    fs::write(&csv, train_csv(60)).unwrap();

    let stdout = stdout(train(&folder.join("tenth.digits")).arg("--data").arg(&csv));
    let accuracy = stdout.lines().next().unwrap().strip_prefix("validation accuracy ");
    assert!(accuracy.is_some_and(|share| share[1..].starts_with("/6 = ")), "{stdout}");
    assert_eq!(
        folder.names(),
        ["tenth-confusion.svg", "tenth-curve.svg", "tenth.digits", "train.csv"]
    );

    // With nothing kept out there is nothing to measure on.
    let mut all = train(&folder.join("all.digits"));
    let stdout = self::stdout(all.args(["--validation", "0", "--data"]).arg(&csv));
    assert!(!stdout.contains("accuracy"), "{stdout}");
    assert_eq!(folder.names()[..2], ["all-curve.svg", "all.digits"]);
}

#[test]
fn wrong_options_are_refused_before_anything_is_written() {
    let folder = Folder::new("wrong-options");
    let out = folder.join("x.digits");
    for (option, value, status, parts) in [
        ("--batch-size", "0", 1, ["batch_size", "at least 1, found 0"]),
        ("--batch-size", "many", 2, ["--batch-size", "many"]),
        ("--data", "fixtures", 1, ["fixtures", "train-images-idx3-ubyte"]),
        ("--data", "fixtures/tiny.npz", 1, ["fixtures/tiny.npz", "785 columns"]),
        ("--data", "nowhere", 1, ["nowhere", "os error"]),
        ("--epochs", "0", 1, ["--epochs", "at least 1, found 0"]),
        ("--layers", "784", 1, ["--layers", "two layer sizes"]),
        ("--layers", "784,0,10", 1, ["--layers", "none of them 0"]),
        ("--layers", "784,5", 1, ["labels", "below 5"]),
        ("--layers", "784,9999999999,10", 1, ["--layers", "100 million weights"]),
        ("--layers", "9,10", 1, ["inputs", "expected 9 pixels"]),
        ("--layers", "abc", 2, ["--layers", "abc"]),
        ("--learning-rate", "-1", 1, ["learning_rate", "above 0, found -1"]),
        ("--learning-rate", "1e30", 1, ["diverged in epoch 1", "lower learning rate"]),
        ("--learning-rate", "nan", 1, ["learning_rate", "above 0, found NaN"]),
        ("--momentum", "1", 1, ["momentum", "below 1, found 1"]),
        ("--strokes", "fixtures/seven.png", 1, ["fixtures/seven.png", "UNIPEN"]),
        ("--start", "fixtures/seven.png", 1, ["fixtures/seven.png", "expected"]),
        ("--validation", "999999", 1, ["--validation", "the 2000 images"]),
    ] {
        let mut command = command("train");
        command.args([option, value, "--out"]).arg(&out);
        assert_refused(&mut command, status, &parts);
        assert_eq!(folder.names(), [""; 0], "{option} {value}");
    }
}

#[test]
fn an_out_that_cannot_be_written_is_refused() {
    let folder = Folder::new("wrong-out");
    let missing = folder.join("missing").join("x.digits");
    assert_refused(&mut train(&missing), 1, &["--out", "missing", "os error"]);
    assert_refused(&mut train(&folder.0), 1, &["--out", "expected the name of a file"]);
    assert_eq!(folder.names(), [""; 0]);
    assert_refused(&mut command("train"), 2, &["required"]);
}
