//! `recognize`: a line for each picture.

use std::fs;
use std::process::Stdio;

use crate::{Folder, Run, assert_refused, command, run, stdout};

const PICTURES: [&str; 3] = ["fixtures/seven.png", "fixtures/three.jpg", "fixtures/five.png"];

/// The path and the digit of a line `PATH\tDIGIT\t0.dddd`.
fn answer(line: &str) -> (&str, &str) {
    let fields: Vec<_> = line.split('\t').collect();
    let [path, digit, probability] = fields[..] else { panic!("{line:?}") };
    assert_eq!(probability.len(), "0.9999".len(), "{line:?}");
    assert!((0.0..=1.0).contains(&probability.parse::<f32>().unwrap()), "{line:?}");
    (path, digit)
}

#[test]
fn each_picture_gets_its_path_digit_and_probability() {
    let stdout = stdout(command("recognize").args(PICTURES));
    let answers: Vec<_> = stdout.lines().map(answer).collect();
    assert_eq!(answers, [(PICTURES[0], "7"), (PICTURES[1], "3"), (PICTURES[2], "5")]);
}

#[test]
fn show_prints_the_input_and_ten_probabilities() {
    let stdout = stdout(command("recognize").args(["--show", PICTURES[0]]));
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(answer(lines[0]), (PICTURES[0], "7"));
    assert_eq!((lines.len(), lines[1], lines[30], lines[41]), (42, "", "", ""), "{stdout}");

    let image = &lines[2..30];
    assert!(image.iter().all(|line| line.chars().count() == 28), "{stdout}");
    assert!(image.iter().any(|line| line.contains('@')), "{stdout}");

    let bars = &lines[31..41];
    for (digit, bar) in bars.iter().enumerate() {
        assert!(bar.starts_with(&format!("{digit} |")) && bar.ends_with(" %"), "{stdout}");
    }
    let longest = bars.iter().max_by_key(|bar| bar.matches('#').count()).unwrap();
    assert!(longest.starts_with('7'), "{stdout}");
}

#[test]
fn a_bad_picture_is_named_and_the_others_are_answered() {
    let folder = Folder::new("bad-pictures");
    let (missing, text, blank) =
        (folder.join("missing.png"), folder.join("text.png"), folder.join("blank.png"));
    fs::write(&text, "Not a picture.\n").unwrap();
    image::GrayImage::from_pixel(40, 30, image::Luma([255])).save(&blank).unwrap();

    let mut command = command("recognize");
    command.arg(PICTURES[0]).arg(&missing).arg(PICTURES[1]).arg(&text).arg(&blank).arg(PICTURES[2]);
    let run = run(&mut command);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let digits: Vec<_> = run.stdout.lines().map(|line| answer(line).1).collect();
    assert_eq!(digits, ["7", "3", "5"]);

    let errors: Vec<_> = run.stderr.lines().collect();
    assert_eq!(errors.len(), 3, "{}", run.stderr);
    let reasons = ["(os error ", "not a readable picture: ", "no ink in the picture: "];
    for ((error, path), reason) in errors.iter().zip([&missing, &text, &blank]).zip(reasons) {
        let said = error.strip_prefix(&format!("{}: ", path.display()));
        assert!(said.is_some_and(|said| said.contains(reason)), "{error}");
    }
}

#[test]
fn without_pictures_the_usage_is_shown() {
    let run = run(&mut command("recognize"));
    assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("<PICTURE>"), "{}", run.stderr);
    assert!(run.stderr.contains("Usage: recognize"), "{}", run.stderr);
}

#[test]
fn a_model_for_other_inputs_is_refused() {
    let model = "fixtures/tiny.npz";
    let parts = [model, "expected a network with 784 inputs, found 3"];
    assert_refused(command("recognize").args(["--model", model, PICTURES[0]]), 1, &parts);
    let mut missing = command("recognize");
    assert_refused(missing.args(["--model", "nowhere.npz", PICTURES[0]]), 1, &["nowhere.npz"]);
}

/// As in `recognize *.png | head -1`.
#[test]
fn a_reader_that_stops_early_is_no_error() {
    let mut command = command("recognize");
    // The last one would be an error, if the command went on that far.
    command.args(PICTURES.iter().cycle().take(300)).arg("nowhere.png");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
}

/// A black ring with a bar in it on white, and the same in another corner.
fn rings(path: &std::path::Path) {
    image::GrayImage::from_fn(240, 120, |x, y| {
        let squared = (x % 120).abs_diff(60).pow(2) + y.abs_diff(60).pow(2);
        image::Luma([if (18 * 18..36 * 36).contains(&squared) { 20 } else { 240 }])
    })
    .save(path)
    .unwrap();
}

#[test]
fn the_stages_are_written_side_by_side() {
    let folder = Folder::new("stages");
    let file = folder.join("stages.png");
    stdout(command("recognize").arg("--stages").arg(&file).arg(PICTURES[1]));
    let found = image::open(&file).unwrap();
    assert_eq!(found.height(), 240);
    assert!(found.width() > 8 * 240, "{}", found.width());

    // As far as it came, where there is no ink.
    let (blank, stages) = (folder.join("blank.png"), folder.join("blank-stages.png"));
    image::GrayImage::from_pixel(40, 30, image::Luma([255])).save(&blank).unwrap();
    let run = run(command("recognize").arg("--stages").arg(&stages).arg(&blank));
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("no ink"), "{}", run.stderr);
    assert!(image::open(&stages).unwrap().width() > 2 * 240);

    let mut two = command("recognize");
    assert_refused(two.arg("--stages").arg(&file).args(&PICTURES[..2]), 1, &["one picture"]);
}

#[test]
fn what_the_caller_knows_is_used() {
    let folder = Folder::new("options");
    let path = folder.join("rings.png");
    rings(&path);
    let shown =
        |options: &[&str]| stdout(command("recognize").arg("--show").args(options).arg(&path));
    let one = shown(&["--crop", "0,0,120,120"]);
    assert_eq!(one, shown(&["--crop", "120,0,120,120"]));
    assert_eq!(answer(one.lines().next().unwrap()).1, "0");
    let kept = shown(&["--crop", "0,0,120,120", "--keep-stroke"]);
    let blot = shown(&["--crop", "0,0,120,120", "--polarity", "light"]);
    assert!(
        one != kept
            && one != blot
            && one == shown(&["--crop", "0,0,120,120", "--polarity", "dark"])
    );

    let outside = ["--crop", "200,0,120,120"];
    let run = run(command("recognize").args(outside).arg(&path));
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("240 x 120 pixels"), "{}", run.stderr);
    for wrong in ["1,2,3", "a,b,c,d", "1,2,3,-4"] {
        assert_refused(
            command("recognize").args(["--crop", wrong, PICTURES[0]]),
            2,
            &["four whole numbers"],
        );
    }
}
