//! `submit`: answers to Kaggle's test.csv.

use std::fs;

use digit_recognizer::{Images, Network, Picture, preprocess};

use crate::{Folder, assert_refused, command, stdout};

#[test]
fn each_row_gets_its_number_and_the_networks_answer() {
    let folder = Folder::new("submit");
    let (test, submission) = (folder.join("test.csv"), folder.join("submission.csv"));
    let pixels = ["seven.png", "three.jpg", "five.png"].map(|name| {
        let image = preprocess(&Picture::open(format!("fixtures/{name}")).unwrap()).unwrap();
        image.pixels().map(|pixel| (255.0 * pixel).round() as u8)
    });
    let mut csv = (0..784).map(|index| format!("pixel{index}")).collect::<Vec<_>>().join(",");
    for row in &pixels {
        csv += "\n";
        csv += &row.map(|pixel| pixel.to_string()).join(",");
    }
    fs::write(&test, csv).unwrap();

    let stdout = stdout(command("submit").arg(&test).arg(&submission));
    assert_eq!(stdout, format!("wrote {} with 3 answers\n", submission.display()));
    let text = fs::read_to_string(&submission).unwrap();
    assert_eq!(text, "ImageId,Label\n1,7\n2,3\n3,5\n");
    let images = Images::new(28, 28, pixels.concat()).unwrap();
    assert_eq!(Network::pretrained().classify(&images).unwrap(), [7, 3, 5]);

    // What is refused leaves the old file as it is.
    let tiny = ["--model", "fixtures/tiny.npz"];
    let mut other = command("submit");
    let parts = ["tiny.npz", "expected a network with 784 inputs, found 3"];
    assert_refused(other.args(tiny).arg(&test).arg(&submission), 1, &parts);
    let mut wrong = command("submit");
    assert_refused(
        wrong.arg("fixtures/tiny.npz").arg(&submission),
        1,
        &["tiny.npz", "784 columns"],
    );
    let mut missing = command("submit");
    assert_refused(missing.arg("nowhere.csv").arg(&submission), 1, &["nowhere.csv", "os error"]);
    assert_eq!(fs::read_to_string(&submission).unwrap(), text);
}
