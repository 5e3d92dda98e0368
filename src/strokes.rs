//! The lines that a pen drew, and how they become an image.
//!
//! A canvas or a tablet knows more than its picture: where the pen was down,
//! without paper, shadows or noise. [`Strokes`] keeps that, and
//! [`Strokes::draw`] makes of it an image such as those of MNIST.

mod draw;

use crate::error::{Error, Result};

/// The most points of one digit, which bounds the time that drawing takes to a
/// fraction of a second; a pen that reports 200 a second makes them in five minutes.
pub(crate) const MAX_POINTS: usize = 1 << 16;

/// A digit as a pen drew it: one or more strokes, each the points from pen-down
/// to pen-up.
///
/// A point is (x, y), x to the right and y downwards, in any unit and from any
/// origin. A stroke of one point, or of equal points, is a dot.
///
/// ```
/// use digit_recognizer::Strokes;
///
/// // A 7: from left to right, then down.
/// let seven = Strokes::new(vec![vec![(10.0, 10.0), (60.0, 10.0), (30.0, 90.0)]])?;
/// let image = seven.draw(Strokes::PEN_WIDTH)?;
/// assert!(image.pixels()[8 * 28 + 11] > 0.9);
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Strokes {
    strokes: Vec<Vec<(f32, f32)>>,
}

impl Strokes {
    /// A digit from its strokes, in the order in which they were drawn.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there is no stroke, a stroke has no point, a
    /// coordinate is not finite, or there are more than 65,536 points.
    pub fn new(strokes: Vec<Vec<(f32, f32)>>) -> Result<Self> {
        let mismatch =
            |what, expected: String, found| Err(Error::Mismatch { what, expected, found });
        if strokes.is_empty() {
            return mismatch("strokes of a digit", "at least one".to_owned(), "none".to_owned());
        }
        if let Some(index) = strokes.iter().position(Vec::is_empty) {
            let found = format!("none in stroke {index}");
            return mismatch("points of a stroke", "at least one".to_owned(), found);
        }
        let points: usize = strokes.iter().map(Vec::len).sum();
        if points > MAX_POINTS {
            let expected = format!("at most {MAX_POINTS}");
            return mismatch("points of a digit", expected, points.to_string());
        }
        for (stroke, points) in strokes.iter().enumerate() {
            for (point, &(x, y)) in points.iter().enumerate() {
                if !(x.is_finite() && y.is_finite()) {
                    return mismatch(
                        "coordinates of a point",
                        "finite numbers".to_owned(),
                        format!("({x}, {y}) at point {point} of stroke {stroke}"),
                    );
                }
            }
        }
        Ok(Self { strokes })
    }

    /// The points of each stroke, at least one in each.
    pub fn as_slice(&self) -> &[Vec<(f32, f32)>] {
        &self.strokes
    }
}
