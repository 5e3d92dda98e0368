//! `evaluate`: counts and shares of right answers.

use std::fs;

use digit_recognizer::{Network, Picture, Reliability, mnist, preprocess};

use crate::{Folder, assert_refused, command, run, stdout};

/// A and B of the line `<name>A/B = P %`, where P is what it should be.
fn share(line: &str, name: &str) -> (usize, usize) {
    let count = line.strip_prefix(name).and_then(|rest| Some(rest.split_once(" = ")?.0));
    let (part, whole) = count.and_then(|count| count.split_once('/')).expect(line);
    let (part, whole) = (part.parse().unwrap(), whole.parse().unwrap());
    let percent = 100.0 * part as f64 / whole as f64;
    assert_eq!(line, format!("{name}{part}/{whole} = {percent:.2} %"));
    (part, whole)
}

#[test]
fn mnist_gives_the_share_of_each_digit_the_matrix_and_the_accuracy() {
    let stdout = stdout(command("evaluate").args(["mnist", "fixtures/mnist"]));
    let lines: Vec<_> = stdout.lines().collect();
    // Ten digits, a head and ten rows of the matrix, two lines on how certain that
    // is, the accuracy, two blank lines.
    assert_eq!((lines.len(), lines[10], lines[22]), (26, "", ""), "{stdout}");
    let (right, total) = share(lines[25], "accuracy ");
    assert_eq!(total, 1000);
    assert!(right >= 950, "{stdout}");

    let test = mnist::load("fixtures/mnist", mnist::Split::Test).unwrap();
    let confusion = Network::pretrained().evaluate(&test).unwrap();
    assert_eq!(right, confusion.correct());
    let error = 100.0 * Network::pretrained().reliability(&test).unwrap().calibration_error();
    assert_eq!(lines[23], format!("expected calibration error {error:.2} %"));
    // Wilson's bounds w solve (p − w)² = z²·w·(1 − w) / n.
    let bounds = lines[24].strip_prefix("95 % interval of the accuracy ").expect(lines[24]);
    let (low, high) = bounds.trim_end_matches(" %").split_once(" % to ").expect(bounds);
    let found = right as f64 / 1000.0;
    for (bound, side) in [(low, 1.0), (high, -1.0)] {
        let bound = bound.parse::<f64>().unwrap() / 100.0;
        let distance = 1.959_964 * (bound * (1.0 - bound) / 1000.0).sqrt();
        assert!((side * (found - bound) - distance).abs() < 1e-4, "{stdout}");
    }
    for label in 0..10 {
        let found = share(lines[label], &format!("{label}: "));
        assert_eq!(found, (confusion.count(label, label), confusion.label_total(label)));
        let row: Vec<usize> =
            lines[12 + label].split_whitespace().map(|count| count.parse().unwrap()).collect();
        let counts = (0..10).map(|answer| confusion.count(label, answer));
        assert_eq!(row, [label].into_iter().chain(counts).collect::<Vec<_>>());
    }
}

#[test]
fn pictures_give_a_line_for_each_condition_their_mean_and_the_worst() {
    let folder = Folder::new("conditions");
    for condition in ["drawn", "mixed", "empty"] {
        fs::create_dir(folder.join(condition)).unwrap();
    }
    let mut reliability = Reliability::default();
    for (fixture, name, right) in [
        ("seven.png", "drawn/7_seven.png", true),
        ("five.png", "drawn/5_five.png", true),
        ("three.jpg", "mixed/3_three.jpg", true),
        ("seven.png", "mixed/1_seven.png", false),
    ] {
        let fixture = format!("fixtures/{fixture}");
        fs::copy(&fixture, folder.join(name)).unwrap();
        let picture = Picture::open(&fixture).unwrap();
        let answer = Network::pretrained().recognize(&picture).unwrap();
        reliability.record(answer.confidence(), right);
    }
    // A picture that cannot be read is wrong, a name without a label is left
    // out, a hidden file is not looked at.
    for name in ["mixed/3_text.png", "drawn/notes.txt", "drawn/.7_hidden.png", "outside.txt"] {
        fs::write(folder.join(name), "Not a picture.\n").unwrap();
    }

    let run = run(command("evaluate").arg("pictures").arg(&folder.0));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    // Three of five are right; the one that cannot be read has no confidence.
    let error = 100.0 * reliability.calibration_error();
    let expected = format!(
        "drawn 2/2 = 100.00 %\nmixed 1/3 = 33.33 %\n\
         expected calibration error {error:.2} %\n\
         95 % interval of the accuracy 23.07 % to 88.24 %\n\
         mean 66.67 % worst 33.33 % (mixed)\n"
    );
    assert_eq!(run.stdout, expected);
    let notes: Vec<_> = run.stderr.lines().collect();
    assert_eq!(notes.len(), 2, "{}", run.stderr);
    assert!(notes[0].contains("notes.txt: left out"), "{}", run.stderr);
    assert!(notes[1].contains("3_text.png: not a readable picture"), "{}", run.stderr);
}

/// A folder with a picture that is right, one that is wrong, and one that is none.
fn three_pictures(folder: &Folder) -> std::path::PathBuf {
    let pictures = folder.join("pictures");
    fs::create_dir_all(pictures.join("drawn")).unwrap();
    fs::copy("fixtures/five.png", pictures.join("drawn/5_right.png")).unwrap();
    fs::copy("fixtures/seven.png", pictures.join("drawn/1_wrong.png")).unwrap();
    fs::write(pictures.join("drawn/3_text.png"), "Not a picture.\n").unwrap();
    pictures
}

#[test]
fn wrong_pictures_go_to_a_sheet_beside_what_the_network_saw() {
    let folder = Folder::new("sheet");
    let pictures = three_pictures(&folder);
    let sheet = folder.join("wrong.png");
    let run = run(command("evaluate").arg("pictures").arg(&pictures).arg("--wrong").arg(&sheet));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("wrong.png: 2 of 2 wrong pictures"), "{}", run.stderr);

    // Two parts of 188 × 118; in each, boxes of 84 × 84 from (8, 8) and (96, 8).
    let sheet = Picture::open(&sheet).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (2 * 188, 118));
    let gray = |x: usize, y: usize| sheet.rgba8()[4 * (y * sheet.width() + x)];
    let seven = Picture::open("fixtures/seven.png").unwrap();
    let image = preprocess(&seven).unwrap();
    for (index, pixel) in image.pixels().iter().enumerate() {
        let (x, y) = (96 + 3 * (index % 28) + 1, 8 + 3 * (index / 28) + 1);
        assert_eq!(gray(x, y), (255.0 * pixel).round() as u8, "pixel {index}");
    }
    let dark = |left: usize, top: usize, width: usize, height: usize| {
        let places = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
        places.filter(|&(x, y)| gray(x, y) < 128).count()
    };
    // Ink in the thumbnail, and text: "1→7 100%"; its first letter, 1, has nine
    // pixels of 2 × 2. The text file has empty boxes, and a text too: "3→?".
    assert!(dark(8, 8, 84, 84) > 100);
    assert_eq!(dark(8, 96, 10, 14), 4 * 10);
    assert_eq!(dark(188 + 8, 8, 172, 84), 0);
    assert_eq!(dark(188 + 8, 96, 10, 14), 4 * 14);
    assert_eq!(dark(188 + 8 + 36, 96, 152 - 36, 14), 0);

    fs::remove_file(pictures.join("drawn/1_wrong.png")).unwrap();
    fs::remove_file(pictures.join("drawn/3_text.png")).unwrap();
    let none = folder.join("none.png");
    let run =
        crate::run(command("evaluate").arg("pictures").arg(&pictures).arg("--wrong").arg(&none));
    assert!(run.status == Some(0) && run.stderr.contains("no picture was wrong"), "{}", run.stderr);
    assert!(!none.exists());
}

#[test]
fn a_reliability_diagram_is_drawn() {
    let folder = Folder::new("reliability");
    let svg = folder.join("reliability.svg");
    let lines =
        stdout(command("evaluate").args(["mnist", "fixtures/mnist", "--reliability"]).arg(&svg));
    let text = fs::read_to_string(&svg).unwrap();
    let error = lines.lines().find(|line| line.starts_with("expected")).unwrap();
    assert!(text.starts_with("<svg") && text.contains(error), "{text}");
    let test = mnist::load("fixtures/mnist", mnist::Split::Test).unwrap();
    let bins = Network::pretrained().reliability(&test).unwrap().bins();
    for bin in &bins {
        assert!(text.lines().any(|line| line == bin.count.to_string()), "{}: {text}", bin.count);
    }
    assert_eq!(text.matches("<circle").count(), bins.len());
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let command = || command("evaluate");
    let tiny = ["--model", "fixtures/tiny.npz"];
    let inputs = "expected a network with 784 inputs, found 3";
    let folder = Folder::new("no-conditions");
    assert_refused(command().args(["mnist", "nowhere"]), 1, &["nowhere", "t10k-images"]);
    assert_refused(command().args(tiny).args(["mnist", "fixtures/mnist"]), 1, &["3 pixels"]);
    assert_refused(command().args(tiny).arg("pictures").arg(&folder.0), 1, &["tiny.npz", inputs]);
    assert_refused(command().arg("pictures").arg(&folder.0), 1, &["no-conditions", "found none"]);
    assert_refused(command().args(["pictures", "nowhere"]), 1, &["nowhere", "os error"]);
    // What was measured is said all the same.
    let pictures = three_pictures(&folder);
    for option in ["--wrong", "--reliability"] {
        let to = folder.join("missing/file");
        let run = run(command().arg("pictures").arg(&pictures).arg(option).arg(&to));
        assert_eq!(run.status, Some(1), "{}", run.stderr);
        assert!(run.stdout.contains("mean 33.33 %"), "{}", run.stdout);
        assert!(run.stderr.contains("error: ") && run.stderr.contains("missing"), "{}", run.stderr);
    }
}
