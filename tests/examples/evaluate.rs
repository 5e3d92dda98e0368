//! `evaluate`: counts and shares of right answers.

use std::fs;

use digit_recognizer::{Network, mnist};

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
    // Ten digits, a head and ten rows of the matrix, the accuracy, two blank lines.
    assert_eq!((lines.len(), lines[10], lines[22]), (24, "", ""), "{stdout}");
    let (right, total) = share(lines[23], "accuracy ");
    assert_eq!(total, 1000);
    assert!(right >= 950, "{stdout}");

    let test = mnist::load("fixtures/mnist", mnist::Split::Test).unwrap();
    let confusion = Network::pretrained().evaluate(&test).unwrap();
    assert_eq!(right, confusion.correct());
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
    for (fixture, name) in [
        ("seven.png", "drawn/7_seven.png"),
        ("five.png", "drawn/5_five.png"),
        ("three.jpg", "mixed/3_three.jpg"),
        ("seven.png", "mixed/1_seven.png"),
    ] {
        fs::copy(format!("fixtures/{fixture}"), folder.join(name)).unwrap();
    }
    // A picture that cannot be read is wrong, a name without a label is left
    // out, a hidden file is not looked at.
    for name in ["mixed/3_text.png", "drawn/notes.txt", "drawn/.7_hidden.png", "outside.txt"] {
        fs::write(folder.join(name), "Not a picture.\n").unwrap();
    }

    let run = run(command("evaluate").arg("pictures").arg(&folder.0));
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "drawn 2/2 = 100.00 %\nmixed 1/3 = 33.33 %\nmean 66.67 % worst 33.33 % (mixed)\n"
    );
    let notes: Vec<_> = run.stderr.lines().collect();
    assert_eq!(notes.len(), 2, "{}", run.stderr);
    assert!(notes[0].contains("notes.txt: left out"), "{}", run.stderr);
    assert!(notes[1].contains("3_text.png: not a readable picture"), "{}", run.stderr);
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
}
