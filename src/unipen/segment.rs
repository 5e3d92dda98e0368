//! One segment: a digit that is being read.

use crate::error::{Error, Result, shown};
use crate::strokes::{MAX_POINTS, Strokes};
use crate::unipen::{PenDigit, malformed};

/// The largest coordinate: up to here f32 holds every whole number.
const MAX_COORDINATE: f32 = (1 << 24) as f32;

/// A line, for what it says and for errors about it.
pub(super) struct Line<'a> {
    /// Counted from 1.
    number: usize,
    text: &'a [u8],
    /// What spaces separate.
    pub(super) words: Vec<&'a [u8]>,
}

impl<'a> Line<'a> {
    pub(super) fn new(number: usize, bytes: &'a [u8]) -> Self {
        let text = bytes.trim_ascii();
        let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        Self { number, text, words }
    }

    /// The error for this line, which is not what was `expected`.
    pub(super) fn malformed(&self, expected: impl Into<String>) -> Error {
        malformed(self.number, expected, shown(self.text))
    }
}

/// A digit whose end has not been seen.
pub(super) struct Segment {
    /// The line where it begins.
    line: usize,
    label: u8,
    /// The number of its strokes, as it announces it.
    announced: u64,
    writer: Option<u32>,
    strokes: Vec<Vec<(f32, f32)>>,
    points: usize,
}

impl Segment {
    /// The segment that begins with this line, which has these words after
    /// `.SEGMENT`.
    pub(super) fn new(line: &Line<'_>, words: &[&[u8]]) -> Result<Self> {
        let [b"DIGIT", numbers, _, label] = words else {
            return Err(line.malformed(".SEGMENT DIGIT, numbers of strokes, a quality and a label"));
        };
        let Some(announced) = announced(numbers) else {
            return Err(line.malformed("numbers of strokes, such as 7 or 7-8"));
        };
        let [b'"', label @ b'0'..=b'9', b'"'] = label else {
            return Err(line.malformed("as the label a digit from 0 to 9 in quotes"));
        };
        let (line, label) = (line.number, label - b'0');
        Ok(Self { line, label, announced, writer: None, strokes: Vec::new(), points: 0 })
    }

    /// `.COMMENT` with these words.
    pub(super) fn comment(&mut self, line: &Line<'_>, words: &[&[u8]]) -> Result<()> {
        if self.writer.is_some() {
            return Err(line.malformed("one .COMMENT in a .SEGMENT"));
        }
        let &[label, writer, sample] = words else {
            return Err(line.malformed("label, writer and number of the sample"));
        };
        if number::<u8>(label) != Some(self.label) {
            return Err(line.malformed(format!("the label of the .SEGMENT, {}", self.label)));
        }
        let (Some(writer), Some(_)) = (number(writer), number::<u32>(sample)) else {
            return Err(line.malformed("whole numbers for the writer and the sample"));
        };
        self.writer = Some(writer);
        Ok(())
    }

    /// `.PEN_DOWN`.
    pub(super) fn pen_down(&mut self) {
        self.strokes.push(Vec::new());
    }

    /// A line of the stroke that began last.
    pub(super) fn point(&mut self, line: &Line<'_>) -> Result<()> {
        let &[x, y] = line.words.as_slice() else {
            return Err(line.malformed("two numbers, x and y"));
        };
        let within = |value: &f32| value.abs() <= MAX_COORDINATE;
        let (Some(x), Some(y)) = (number(x).filter(within), number(y).filter(within)) else {
            return Err(line.malformed(format!("numbers of at most {MAX_COORDINATE}, x and y")));
        };
        self.points += 1;
        if self.points > MAX_POINTS {
            let expected = format!("at most {MAX_POINTS} points in a .SEGMENT");
            return Err(malformed(line.number, expected, "one more".to_owned()));
        }
        // A tablet's y grows upwards.
        self.strokes.last_mut().into_iter().for_each(|stroke| stroke.push((x, -y)));
        Ok(())
    }

    /// `.PEN_UP`.
    pub(super) fn pen_up(&self, line: &Line<'_>) -> Result<()> {
        match self.strokes.last() {
            Some(stroke) if !stroke.is_empty() => Ok(()),
            _ => Err(line.malformed("a point before it")),
        }
    }

    /// The digit, whose last line has been read.
    pub(super) fn end(self) -> Result<PenDigit> {
        let malformed = |expected, found| Err(malformed(self.line, expected, found));
        let Some(writer) = self.writer else {
            return malformed("a .COMMENT in the .SEGMENT".to_owned(), "none".to_owned());
        };
        let strokes = self.strokes.len();
        if strokes as u64 != self.announced {
            return malformed(
                format!("{} strokes in the .SEGMENT", self.announced),
                strokes.to_string(),
            );
        }
        Ok(PenDigit { label: self.label, writer, strokes: Strokes::new(self.strokes)? })
    }
}

/// How many strokes `7` (one) or `7-8` (two) announces; at least one.
fn announced(numbers: &[u8]) -> Option<u64> {
    match numbers.iter().position(|&byte| byte == b'-') {
        None => number::<u32>(numbers).map(|_| 1),
        Some(dash) => {
            let (first, last): (u32, u32) =
                (number(&numbers[..dash])?, number(&numbers[dash + 1..])?);
            last.checked_sub(first).map(|further| u64::from(further) + 1)
        }
    }
}

fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}
