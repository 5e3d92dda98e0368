//! Pen strokes of the full data: the collection *Pen-Based Recognition of
//! Handwritten Digits* (Alpaydin and Alimoglu), in UNIPEN's form.

use std::io::Read;
use std::path::Path;

use super::glyph::{Glyph, Point, smooth};

/// The digits that the writers in a range wrote, and what they are.
///
/// # Panics
/// If the file is not there, or in another form.
pub(crate) fn load(file: &Path, writers: std::ops::RangeInclusive<u32>) -> Vec<(Glyph, u8)> {
    let packed = std::fs::File::open(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).expect("gzipped text");
    text.split(".SEGMENT").skip(1).filter_map(|segment| digit(segment, &writers)).collect()
}

fn digit(segment: &str, writers: &std::ops::RangeInclusive<u32>) -> Option<(Glyph, u8)> {
    let mut strokes: Vec<Vec<Point>> = Vec::new();
    let mut label = None;
    for line in segment.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<u32>().expect("a number");
        match words[..] {
            [".COMMENT", ..] => {
                if !writers.contains(&number(2)) {
                    return None;
                }
                label = Some(number(1) as u8);
            }
            [".PEN_DOWN"] => strokes.push(Vec::new()),
            // The tablet's y grows upwards.
            [x, y] if !x.starts_with('.') && label.is_some() => {
                let point = |word: &str| word.parse::<f32>().expect("a coordinate");
                strokes.last_mut().expect("the pen down").push((point(x), -point(y)));
            }
            _ => {}
        }
    }
    strokes.retain(|stroke| !stroke.is_empty());
    let strokes = strokes.iter().map(|stroke| smooth(stroke)).collect();
    Some((Glyph::from_strokes(strokes), label.expect("a comment with the label")))
}
